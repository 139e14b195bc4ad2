"""The language models that write labels: what is configured, and one call to one of them.

Which model is called for which cluster, and when that ends, is decided in ``labels/session.py``.
"""

from issue_pipeline.resources.llm.client import Answer, LanguageModel, Messages
from issue_pipeline.resources.llm.resource import LLMResource
from issue_pipeline.resources.llm.styles import CHOOSE, LOCAL, REMOTE, STYLES, WRITE

__all__ = [
    "CHOOSE",
    "LOCAL",
    "REMOTE",
    "STYLES",
    "WRITE",
    "Answer",
    "LLMResource",
    "LanguageModel",
    "Messages",
]
