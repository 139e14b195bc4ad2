from issue_pipeline_tests.resources.collectors.replays import clock

__all__ = ["clock"]
