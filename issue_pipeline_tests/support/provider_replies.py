"""Refusals of model providers: status, headers and body as each of them sends them."""

import json
from collections.abc import Mapping

from issue_pipeline_tests.support.scripted_model import Reply


def refusal(status: int, body: object, headers: Mapping[str, str] | None = None) -> Reply:
    """Return a refusal with a whole body of its own."""
    text = body if isinstance(body, str) else json.dumps(body)
    return Reply(status=status, body=text, headers=headers or {})


def openai_error(
    message: str,
    *,
    status: int = 400,
    code: str | None = None,
    param: str | None = None,
    kind: str = "invalid_request_error",
    headers: Mapping[str, str] | None = None,
) -> Reply:
    error = {"message": message, "type": kind, "param": param, "code": code}
    return refusal(status, {"error": error}, headers)


def unsupported(param: str) -> Reply:
    """OpenAI's, of a parameter that a model does not take."""
    return openai_error(
        f"Unsupported parameter: '{param}' is not supported with this model.",
        code="unsupported_parameter",
        param=param,
    )


def groq_tokens_limit(limit: int, used: int, requested: int, wait_s: float) -> Reply:
    """Groq's 429: tokens a minute."""
    error = {
        "message": "Rate limit reached for model `llama-3.1-8b-instant` in organization"
        f" `org_01` service tier `on_demand` on tokens per minute (TPM): Limit {limit}, Used"
        f" {used}, Requested {requested}. Please try again in {wait_s:.2f}s. Need more tokens?"
        " Upgrade to Dev Tier today at https://console.groq.com/settings/billing",
        "type": "tokens",
        "code": "rate_limit_exceeded",
    }
    return refusal(429, {"error": error}, {"retry-after": str(int(wait_s) + 1)})


def groq_too_large(limit: int, requested: int) -> Reply:
    """Groq's 413: one request takes more than a minute allows."""
    error = {
        "message": "Request too large for model `llama-3.1-8b-instant` in organization `org_01`"
        f" service tier `on_demand` on tokens per minute (TPM): Limit {limit}, Requested"
        f" {requested}, please reduce your message size and try again.",
        "type": "tokens",
        "code": "rate_limit_exceeded",
    }
    return refusal(413, {"error": error})


GROQ_BAD_GENERATION = refusal(
    400,
    {
        "error": {
            "message": "Failed to generate JSON. Please adjust your prompt. See"
            " 'failed_generation' for more details.",
            "type": "invalid_request_error",
            "code": "json_validate_failed",
            "failed_generation": '{"canonical_title": "Exports ',
        }
    },
)
ANTHROPIC_OVERLOADED = refusal(
    529, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
)
ANTHROPIC_NO_CREDIT = refusal(
    400,
    {
        "type": "error",
        "error": {
            "type": "invalid_request_error",
            "message": "Your credit balance is too low to access the Anthropic API. Please go to"
            " Plans & Billing to upgrade or purchase credits.",
        },
    },
)
OPENAI_NO_QUOTA = openai_error(
    "You exceeded your current quota, please check your plan and billing details. For more"
    " information on this error, read the docs:"
    " https://platform.openai.com/docs/guides/error-codes/api-errors.",
    status=429,
    code="insufficient_quota",
    kind="insufficient_quota",
)
OPENAI_DEACTIVATED = openai_error(
    "The OpenAI account associated with this API key has been deactivated.",
    status=401,
    code="account_deactivated",
)
OPENAI_BILLING = openai_error(
    "Billing hard limit has been reached", code="billing_hard_limit_reached"
)
DEEPSEEK_NO_BALANCE = openai_error(
    "Insufficient Balance", status=402, code="invalid_request_error", kind="unknown_error"
)
OPENROUTER_NO_CREDIT = refusal(
    402,
    {"error": {"message": "This request requires more credits, or fewer max_tokens.", "code": 402}},
)


def gemini_limit(delay_s: float, *, per: str = "Minute", value: int = 10) -> Reply:
    """Gemini's 429, whose wait stands in the body only."""
    metric = "generativelanguage.googleapis.com/generate_content_free_tier_requests"
    error = {
        "code": 429,
        "message": "You exceeded your current quota, please check your plan and billing details."
        " For more information on this error, head to:"
        f" https://ai.google.dev/gemini-api/docs/rate-limits.\n* Quota exceeded for metric:"
        f" {metric}, limit: {value}, model: gemini-2.5-flash\nPlease retry in {delay_s:.3f}s.",
        "status": "RESOURCE_EXHAUSTED",
        "details": [
            {
                "@type": "type.googleapis.com/google.rpc.QuotaFailure",
                "violations": [
                    {
                        "quotaMetric": metric,
                        "quotaId": f"GenerateRequestsPer{per}PerProjectPerModel-FreeTier",
                        "quotaValue": str(value),
                    }
                ],
            },
            {
                "@type": "type.googleapis.com/google.rpc.RetryInfo",
                "retryDelay": f"{delay_s:.3f}s",
            },
        ],
    }
    return refusal(429, {"error": error})


AZURE_NO_DEPLOYMENT = refusal(
    404,
    {
        "error": {
            "code": "DeploymentNotFound",
            "message": "The API deployment for this resource does not exist. If you created the"
            " deployment within the last 5 minutes, please wait a moment and try again.",
        }
    },
)


def azure_limit(wait_s: float) -> Reply:
    """Azure's 429, with its own header in milliseconds."""
    return refusal(
        429,
        {
            "error": {
                "code": "429",
                "message": "Requests to the ChatCompletions_Create Operation under Azure OpenAI API"
                " version 2025-02-01-preview have exceeded token rate limit of your current OpenAI"
                f" S0 pricing tier. Please retry after {max(1, round(wait_s))} seconds.",
            }
        },
        {"retry-after-ms": str(int(wait_s * 1_000)), "retry-after": str(max(1, round(wait_s)))},
    )


MISTRAL_LIMIT = refusal(
    429,
    {
        "object": "error",
        "message": "Requests rate limit exceeded",
        "type": "rate_limited",
        "param": None,
        "code": "1300",
    },
)
OLLAMA_BUSY = refusal(
    503, {"error": "server busy, please try again.  maximum pending requests exceeded"}
)
LLAMA_CPP_LOADING = refusal(
    503, {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}
)
LM_STUDIO_WANTS_SCHEMA = refusal(
    400, {"error": "'response_format.type' must be 'json_schema' or 'text'"}
)
OPENROUTER_ERROR_IN_200 = refusal(
    200,
    {
        "error": {
            "message": "Provider returned error",
            "code": 502,
            "metadata": {"raw": "upstream overloaded", "provider_name": "Chutes"},
        },
        "user_id": "user_1",
    },
)
