from issue_pipeline_tests.support.replays import clock

__all__ = ["clock"]
