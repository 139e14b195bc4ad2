"""Records of the live store, and changes to them."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Fields = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class LiveIssue:
    """One issue as the live store holds it, with its evidence.

    Attributes:
        record_id: Id of its record.
        fields: The record's fields, in the form in which the store gives them back.
        evidence: Fields of each evidence record, by record id.
    """

    record_id: str
    fields: Fields
    evidence: Mapping[str, Fields]

    @property
    def content_hash(self) -> str:
        """SHA-256 hex over all fields and evidence, not over ids: they may tell of the past.

        The problem is one of them: a run of another day may change it.
        """
        posts = [{**fields, "issue": ""} for fields in self.evidence.values()]
        posts = sorted(posts, key=lambda fields: str(fields["url"]))
        content = json.dumps([{**self.fields, "problem": ""}, posts], sort_keys=True)
        return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Change:
    """One record to write or delete; what belongs to one issue goes together.

    Attributes:
        collection: Its name, of those that ``collections.json`` states.
        fields: Everything to write; ``None`` deletes the record.
        partial: Whether the record must be there, and keeps its other fields.
    """

    collection: str
    record_id: str
    fields: Fields | None
    partial: bool = False


@dataclass(frozen=True, slots=True)
class IssueChanges:
    """Everything that the records of one issue (or problem) need, in order."""

    record_id: str
    changes: Sequence[Change]
