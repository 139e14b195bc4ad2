"""Embedding by pieces of texts that an executor hands out, such as to a Ray cluster."""

import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from issue_pipeline.errors import EmbeddingModelError, NodeModelError
from issue_pipeline.resources.compute import ComputeResource
from issue_pipeline.resources.embedding.torch_encoder import TorchEncoder, load_model
from issue_pipeline.utils.embeddings import Vectors
from issue_pipeline.utils.precision import Precision

# Fewer texts are embedded in this process: each worker process loads the model first.
MIN_TEXTS = 500
# A piece of work has so many characters at most, two seconds of a core; of a long text only so many
# count, for the model reads no more of it.
_PIECE_CHARS = 60_000
_CHARS_READ = 1_200


@dataclass(frozen=True, slots=True)
class TextPiece:
    """Some texts, and how they are embedded.

    Attributes:
        model: Name on the hub, or a folder that every node has.
        precision: Of the vectors.
        texts: At least one.
    """

    model: str
    precision: Precision
    texts: list[str]


class ClusterEncoder:
    """Embeds many texts on the nodes of a cluster, and few in this process: the same vectors.

    The model is not loaded here before it is needed.
    """

    def __init__(self, model: str, compute: ComputeResource) -> None:
        """Remember what to embed with, and where."""
        self._model = model
        self._compute = compute
        # Of the nodes, once they have been asked; until then that of this processor.
        self._precision: Precision | None = None

    def encode(self, texts: list[str]) -> Vectors:
        """Return float32 (n, 384), embedded in this process."""
        return _encoder(self._model, self._precision).encode(texts)

    def encode_batches(self, batches: Sequence[list[str]]) -> Iterator[Vectors]:
        """Return float32 (n, 384) for each batch of n texts, in order, as they are done.

        Raises:
            NodeModelError: A node has no such model.
            ComputeError: The cluster failed; the message says how.
        """
        if sum(map(len, batches)) < MIN_TEXTS:
            yield from map(self.encode, batches)
            return
        with self._compute.cluster() as executor:
            precision = self._precision = executor.precision
            cut = [pieces_of(batch) for batch in batches]
            embedded = executor.map(
                encode_piece,
                (TextPiece(self._model, precision, texts) for pieces in cut for texts in pieces),
            )
            for pieces in cut:
                yield np.concatenate([next(embedded) for _ in pieces])


def pieces_of(batch: list[str]) -> list[list[str]]:
    """Cut texts into pieces of about equal work."""
    pieces: list[list[str]] = []
    room = 0
    for text in batch:
        size = min(len(text), _CHARS_READ)
        if not pieces or size > room:
            pieces.append([])
            room = _PIECE_CHARS
        pieces[-1].append(text)
        room -= size
    return pieces


def encode_piece(piece: TextPiece) -> Vectors:
    """Embed a piece in the process that holds the model, loaded with its first piece.

    Returns:
        float32 (n, 384).

    Raises:
        NodeModelError: The model cannot be loaded here.
    """
    try:
        encoder = _encoder(piece.model, piece.precision)
    except EmbeddingModelError as error:
        raise NodeModelError(
            f"On the node {socket.gethostname()}: {error} Every node needs it, under the same name."
        ) from error
    return encoder.encode(piece.texts)


@lru_cache(maxsize=1)
def _encoder(name: str, precision: Precision | None) -> TorchEncoder:
    return TorchEncoder(load_model(name), precision)
