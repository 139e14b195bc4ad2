"""The live store: connection, schema, reading and writing."""

from issue_pipeline.resources.pocketbase.resource import LiveStore as LiveStore
from issue_pipeline.resources.pocketbase.resource import Outcome as Outcome
from issue_pipeline.resources.pocketbase.resource import PocketBaseResource as PocketBaseResource
