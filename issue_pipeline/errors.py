"""Every error the pipeline raises on purpose, in one tree.

A message says what happened, what was expected and what to do.
"""

from collections.abc import Sequence
from typing import ClassVar

from issue_pipeline.records import Allowance, Spent


class IssuePipelineError(Exception):
    """Root of the tree; catch this to catch all of it.

    Attributes:
        may_pass: Whether the same thing may succeed later although nobody has acted.
    """

    may_pass: ClassVar[bool] = True


class ConfigurationError(IssuePipelineError):
    """A setting is missing or malformed. The message names it."""

    may_pass = False


class CacheFolderError(IssuePipelineError):
    """The cache folder cannot be written to any more, such as on a full disk."""


class CollectionError(IssuePipelineError):
    """A source could not be read. Base of everything a collector raises.

    Attributes:
        part: The one part of the source that it concerns, such as ``r/webdev``, where the others
            can be read; ``""`` where it concerns them all.
    """

    def __init__(self, message: str, *, part: str = "") -> None:
        super().__init__(message)
        self.part = part


class TransientError(CollectionError):
    """Worth another try: a timeout, a reset, a 5xx, a cut or unreadable reply, a limit.

    Attributes:
        wait_s: Seconds the server asked us to wait; ``None`` when it did not say.
        is_throttle: Whether the server finds that we ask too often. Without ``wait_s`` the wait
            then begins far longer than after a mishap.
    """

    def __init__(
        self,
        message: str,
        *,
        wait_s: float | None = None,
        is_throttle: bool = False,
        part: str = "",
    ) -> None:
        super().__init__(message, part=part)
        self.wait_s = wait_s
        self.is_throttle = is_throttle


class UnreachableError(CollectionError):
    """Nothing answers at a source's address, and nothing ever did. Network or address are wrong."""


class AccessDeniedError(CollectionError):
    """The source refuses our credentials, or wants some. Trying again cannot help."""

    may_pass = False


class NetworkBlockedError(AccessDeniedError):
    """Something on the way answers instead of the source: a block page, a proxy, a login page.

    Credentials and names are not the cause. Such a block may be lifted.
    """

    may_pass = True


class QuotaExhaustedError(CollectionError):
    """The source's allowance is spent for longer than we may wait. Only time or a key helps."""


class TimeBudgetError(CollectionError):
    """The time that one source-day may take is over."""


class TokenExpiredError(AccessDeniedError):
    """The source no longer takes a token that it gave us. A new one may help."""


class RequestRejectedError(CollectionError):
    """The source does not understand or does not know what we asked for (400, 404, 422)."""

    may_pass = False


class PageTooLargeError(RequestRejectedError):
    """The source does not give so many posts at once. Fewer may come."""


class UnexpectedReplyError(CollectionError):
    """A well-formed reply lacks what every reply of that kind must have."""


class StoreError(IssuePipelineError):
    """The DuckDB file cannot be opened or lacks what a step needs."""

    may_pass = False


class StoreBusyError(StoreError):
    """Others have the DuckDB file, or changed the day meanwhile."""

    may_pass = True


class StoreFullError(StoreBusyError):
    """No room is left on a disk. What was stored before is safe; nothing of the rest is."""


class MissingInputError(StoreError):
    """A step was asked to work on a day whose input was never produced."""


class UnsoundInputError(StoreError):
    """What a step should work on breaks a promise that its asset checks make."""


class LabelingError(IssuePipelineError):
    """Base of everything that goes wrong between a cluster and its label.

    Attributes:
        spent: What the calls made for the cluster took, all in vain.
    """

    def __init__(self, message: str, spent: Spent | None = None) -> None:
        super().__init__(message)
        self.spent = spent or Spent()


class InvalidLabelError(LabelingError):
    """The model answered, but not with a valid label. The message says what was wrong."""


class CutOffError(InvalidLabelError):
    """The answer was cut off at the most tokens that it may take, and holds no whole label."""


class FailedGenerationError(InvalidLabelError):
    """The provider itself refused what the model wrote: it is not the JSON asked for."""


class NoLabelsError(LabelingError):
    """Not one cluster of a day has a label. Everything else of the day is stored."""


class TitleTakenError(LabelingError):
    """A good label loses its title to another problem of the day; its cluster is asked on."""


class ModelNotAskedError(LabelingError):
    """No call was made: the model was given up for this run, or its budget is spent."""


class ModelUnavailableError(LabelingError):
    """The model did not answer: it is down, slow, or refuses the request."""


class ModelSilentError(ModelUnavailableError):
    """Not even a reply came: the model hangs, or nothing can be reached where it should be."""


class ParameterRefusedError(ModelUnavailableError):
    """The provider does not take a parameter of the call; it may succeed without.

    Attributes:
        names: The parameters that the refusal speaks of, the likeliest first.
    """

    def __init__(self, message: str, *, names: Sequence[str]) -> None:
        super().__init__(message)
        self.names = names


class RequestTooLargeError(ModelUnavailableError):
    """Prompt and room for the answer together are too large; less room may do.

    Attributes:
        fits: Tokens of an answer that would fit; ``None`` if the provider does not say.
    """

    def __init__(self, message: str, *, fits: int | None = None) -> None:
        super().__init__(message)
        self.fits = fits


class RateLimitedError(ModelUnavailableError):
    """Too many calls in too short a time, or a server too busy; the same call may succeed later.

    Attributes:
        wait_s: Seconds the provider asked us to wait; ``None`` when it did not say.
        allowances: What it says is left of its limits.
    """

    def __init__(
        self, message: str, *, wait_s: float | None = None, allowances: Sequence[Allowance] = ()
    ) -> None:
        super().__init__(message)
        self.wait_s = wait_s
        self.allowances = allowances


class ModelAccessError(ModelUnavailableError):
    """The provider refuses us (key, quota, name of the model): no further call can succeed."""


class EmbeddingModelError(IssuePipelineError):
    """The embedding model cannot be loaded, or is not the one it claims to be."""

    may_pass = False


class ComputeError(IssuePipelineError):
    """Work could not be done on the Ray cluster. Base of everything that goes wrong with it."""


class ClusterUnreachableError(ComputeError):
    """No Ray cluster answers at ``RAY_ADDRESS``, or its head was lost in the middle of the work."""


class ClusterAccessError(ComputeError):
    """The Ray cluster refuses our token. Trying again cannot help."""

    may_pass = False


class NodeMismatchError(ComputeError):
    """A node has another version of something than this machine: its results might differ."""

    may_pass = False


class NodeLostError(ComputeError):
    """The nodes that computed a piece were lost, one after the other, more often than is tried."""


class ObjectStoreFullError(ComputeError):
    """Neither Ray's object store nor the disk behind it has room for what is to be computed."""


class PieceTimeoutError(ComputeError):
    """A piece of work was not done in the time that one may take."""


class NodeModelError(ComputeError, EmbeddingModelError):
    """A node cannot load the embedding model."""

    may_pass = False


class LiveStoreError(IssuePipelineError):
    """PocketBase cannot be reached, or refuses what it is sent."""


class LiveStoreRefusedError(LiveStoreError):
    """PocketBase does not take some records; all others are written."""

    may_pass = False


class LiveStoreAccessError(LiveStoreError):
    """PocketBase refuses our login or lacks our collections. Trying again cannot help."""

    may_pass = False
