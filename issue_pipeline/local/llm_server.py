"""Serves one GGUF model as OpenAI does, by llama.cpp inside this process.

``python -m issue_pipeline.local.llm_server --model FILE --port N``

Ready when ``/health`` answers 200 (503 while the model loads).
"""

import argparse
import os
import signal
import sys
from pathlib import Path

LOOPBACK = "127.0.0.1"
CONTEXT_TOKENS = 4096
SEED = 7
_LOG_WARNINGS = 2


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT.

    Args:
        arguments: Of the command line; those of the process by default.

    Returns:
        The exit status: 1 if the model cannot be loaded or the port is taken.
    """
    options = _parser().parse_args(arguments)
    # Threads that wait for one another spin a moment, then sleep. On two quiet cores an answer then
    # takes 1.7 s (2.9 s if they sleep at once), on busy ones 4.4 s (up to 60 s if they only spin).
    # OpenMP reads this when it is loaded, so it comes before the import.
    os.environ.setdefault("GOMP_SPINCOUNT", "3000")
    import xllamacpp  # Half a second, which ``--help`` need not pay.

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(options.model)
    parameters.model_alias = {options.model.stem}
    parameters.hostnames = [LOOPBACK]
    parameters.port = options.port
    parameters.cors_origins = f"http://{LOOPBACK}:{options.port}"
    parameters.ui = False
    parameters.verbosity = _LOG_WARNINGS
    parameters.n_ctx = CONTEXT_TOKENS
    for processors in (parameters.cpuparams, parameters.cpuparams_batch):
        processors.n_threads = options.threads
        # The same for builds without OpenMP.
        processors.poll = 0
    parameters.sampling.seed = SEED
    # The same request must get the same answer: one slot, so that requests are never computed
    # together, and no reuse of an earlier prompt's state. Either would change the order of sums.
    parameters.n_parallel = 1
    parameters.cache_prompt = False
    parameters.cache_ram_mib = 0
    parameters.cache_idle_slots = False
    try:
        server = xllamacpp.Server(parameters)
    except RuntimeError as error:
        print(
            f"Cannot serve {options.model} on port {options.port}: {error}"
            " Either the file is no GGUF model that llama.cpp can load, or the port is taken.",
            file=sys.stderr,
        )
        return 1
    print(f"Serving {options.model.name} at {server.listening_address}/v1", flush=True)
    # llama.cpp serves in threads of its own. There is nothing to save and nobody to wait for, so
    # both signals end the process at once, also in the middle of an answer.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    while True:
        signal.pause()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m issue_pipeline.local.llm_server", description=__doc__
    )
    parser.add_argument("--model", type=Path, required=True, help="a GGUF file")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--threads", type=int, default=2)
    return parser


if __name__ == "__main__":
    sys.exit(main())
