# ruff: noqa: E501 (the providers' own words, a reply to a line)
"""What a provider's refusal means, by its status, headers and words: a table of many dialects."""

import json
from collections.abc import Mapping

import pytest

from issue_pipeline.errors import (
    FailedGenerationError,
    LabelingError,
    ModelAccessError,
    ModelUnavailableError,
    ParameterRefusedError,
    RateLimitedError,
    RequestTooLargeError,
)
from issue_pipeline.resources.llm.limits import read_wait_s
from issue_pipeline.resources.llm.parameters import SCHEMA, CallParameters
from issue_pipeline.resources.llm.refusals import Refusal, meaning

# Status, body and headers; what they mean; the wait, room or parameter for the next call.
# fmt: off
REFUSALS: list[tuple[int, str, dict[str, str], type[LabelingError], object]] = [
    (429, '{"error": {"code": "insufficient_quota"}}', {}, ModelAccessError, None),
    (400, '{"type": "error", "error": {"type": "invalid_request_error", "message": "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits."}}', {}, ModelAccessError, None),
    (400, '{"type": "error", "error": {"type": "invalid_request_error", "message": "You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC."}}', {}, ModelAccessError, None),
    (400, '{"type": "error", "error": {"type": "invalid_request_error", "message": "This organization has been disabled."}}', {}, ModelAccessError, None),
    (413, '{"error": {"message": "Request too large for model `llama` in organization `o` service tier `on_demand` on tokens per minute (TPM): Limit 6000, Requested 7921, please reduce your message size and try again. Need more tokens? Upgrade to Dev Tier today at https://console.groq.com/settings/billing", "type": "tokens", "code": "rate_limit_exceeded"}}', {}, RequestTooLargeError, 2063),
    (429, '{"error": {"message": "Rate limit reached for model `x` in organization `o` on tokens per day (TPD): Limit 500000, Used 499000, Requested 1500. Please try again in 1m26.4s. Need more tokens? Upgrade to Dev Tier today at https://console.groq.com/settings/billing", "type": "tokens", "code": "rate_limit_exceeded"}}', {}, RateLimitedError, 86.4),
    (429, '{"error": {"message": "Rate limit reached for model `x` on tokens per day (TPD): Limit 100000, Used 99000, Requested 2500. Please try again in 22m0.5s.", "type": "tokens", "code": "rate_limit_exceeded"}}', {}, RateLimitedError, 1320.5),
    (429, '{"error": {"code": 429, "message": "You exceeded your current quota, please check your plan and billing details.", "status": "RESOURCE_EXHAUSTED", "details": [{"violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]}, {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.074824224s"}]}}', {}, ModelAccessError, None),
    (429, '{"error": {"code": 429, "message": "You exceeded your current quota, please check your plan and billing details.", "status": "RESOURCE_EXHAUSTED", "details": [{"violations": [{"quotaId": "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"}]}, {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.074824224s"}]}}', {}, RateLimitedError, 34.074824224),
    (429, '{"error": {"code": 429, "message": "Resource has been exhausted (e.g. check quota).", "status": "RESOURCE_EXHAUSTED"}}', {}, RateLimitedError, None),
    (429, '{"error": {"code": 429, "message": "Resource exhausted. Please try again later. Please refer to https://cloud.google.com/vertex-ai/generative-ai/docs/error-code-429 for more details.", "status": "RESOURCE_EXHAUSTED"}}', {}, RateLimitedError, None),
    (429, '{"error": {"code": 429, "message": "Quota exceeded for aiplatform.googleapis.com/online_prediction_requests_per_base_model with base model: gemini-1.5-pro. Please submit a quota increase request. https://cloud.google.com/vertex-ai/docs/generative-ai/quotas-genai.", "status": "RESOURCE_EXHAUSTED"}}', {}, RateLimitedError, None),
    (400, '{"error": {"code": 400, "message": "User location is not supported for the API use.", "status": "FAILED_PRECONDITION"}}', {}, ModelAccessError, None),
    (400, '{"error": {"code": 400, "message": "API key not valid. Please pass a valid API key.", "status": "INVALID_ARGUMENT", "details": [{"reason": "API_KEY_INVALID"}]}}', {}, ModelAccessError, None),
    (403, '{"error": {"code": 403, "message": "This API method requires billing to be enabled. Please enable billing on project #12 by visiting https://console.developers.google.com/billing", "status": "PERMISSION_DENIED"}}', {}, ModelAccessError, None),
    (429, '{"error": {"code": "429", "message": "Requests to the ChatCompletions_Create Operation under Azure OpenAI API version 2024 have exceeded token rate limit of your current OpenAI S0 pricing tier. Please retry after 20 seconds. Please go here: https://aka.ms/oai/quotaincrease if you would like to further increase the default rate limit."}}', {}, RateLimitedError, 20.0),
    (400, '{"error": {"message": "The response was filtered due to the prompt triggering Azure OpenAI\'s content management policy. Please modify your prompt and retry. To learn more about our content filtering policies please read our documentation", "type": null, "param": "prompt", "code": "content_filter", "status": 400, "innererror": {"code": "ResponsibleAIPolicyViolation", "content_filter_result": {"hate": {"filtered": false, "severity": "safe"}, "jailbreak": {"detected": true, "filtered": true}}}}}', {}, ModelUnavailableError, None),
    (400, '{"object": "error", "message": "This model\'s maximum context length is 4096 tokens. However, you requested 4500 tokens (500 in the messages, 4000 in the completion). Please reduce the length of the messages or completion.", "type": "BadRequestError", "param": null, "code": 400}', {}, RequestTooLargeError, 3580),
    (400, '{"error": {"message": "\'max_tokens\' or \'max_completion_tokens\' is too large: 4000. This model\'s maximum context length is 4096 tokens and your request has 2000 input tokens (4000 > 4096 - 2000).", "type": "BadRequestError", "code": 400}}', {}, RequestTooLargeError, 2080),
    (400, '{"error": {"message": "The decoder prompt (length 5000) is longer than the maximum model length of 4096. Make sure that `max_model_len` is no smaller than the number of text tokens.", "type": "BadRequestError", "code": 400}}', {}, RequestTooLargeError, None),
    (400, '{"error": {"code": 400, "message": "request (5010 tokens) exceeds the available context size (4096 tokens), try increasing it", "type": "exceed_context_size_error", "n_prompt_tokens": 5010, "n_ctx": 4096}}', {}, RequestTooLargeError, -930),
    (500, '{"error": {"code": 500, "message": "the request exceeds the available context size. try increasing the context size or enable context shift", "type": "server_error"}}', {}, RequestTooLargeError, None),
    (400, '{"error": "\'response_format.type\' must be \'json_schema\' or \'text\'"}', {}, ParameterRefusedError, 'response_format'),
    (404, '{"error": "model \'x\' not found"}', {}, ModelAccessError, None),
    (404, '{"error": "model \\"llama3\\" not found, try pulling it first"}', {}, ModelAccessError, None),
    (503, '{"error": "server busy, please try again.  maximum pending requests exceeded"}', {}, RateLimitedError, None),
    (400, '{"error": {"message": "Unsupported parameter: \'max_tokens\' is not supported with this model. Use \'max_completion_tokens\' instead.", "type": "invalid_request_error", "param": "max_tokens", "code": "unsupported_parameter"}}', {}, ParameterRefusedError, 'max_tokens'),
    (400, '{"error": {"message": "Unsupported value: \'temperature\' does not support 0 with this model. Only the default (1) value is supported.", "type": "invalid_request_error", "param": "temperature", "code": "unsupported_value"}}', {}, ParameterRefusedError, 'temperature'),
    (400, '{"error": {"message": "this model has beta-limitations, temperature, top_p and n are fixed at 1, while presence_penalty and frequency_penalty are fixed at 0", "type": "invalid_request_error"}}', {}, ParameterRefusedError, 'temperature'),
    (422, '{"object": "error", "message": {"detail": [{"type": "extra_forbidden", "loc": ["body", "seed"], "msg": "Extra inputs are not permitted", "input": 0, "url": "https://errors.pydantic.dev/2.10/v/extra_forbidden"}]}, "type": "invalid_request_error", "param": null, "code": null}', {}, ParameterRefusedError, 'seed'),
    (422, '{"detail": [{"type": "extra_forbidden", "loc": ["body", "max_tokens"], "msg": "Extra inputs are not permitted", "input": 4000}]}', {}, ParameterRefusedError, 'max_tokens'),
    (402, '{"error": {"message": "Insufficient Balance", "type": "invalid_request_error", "code": "invalid_request_error"}}', {}, ModelAccessError, None),
    (401, '{"error": {"message": "Authentication Fails, Your api key: ****abcd is invalid", "type": "authentication_error"}}', {}, ModelAccessError, None),
    (429, '{"error": {"message": "Provider returned error", "code": 429, "metadata": {"raw": "meta-llama/llama-3.3-70b-instruct:free is temporarily rate-limited upstream. Please retry shortly, or add your own key to accumulate your rate limits: https://openrouter.ai/settings/integrations", "provider_name": "Venice"}}}', {}, RateLimitedError, None),
    (429, '{"error": {"message": "Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 free model requests per day", "code": 429, "metadata": {"headers": {"X-RateLimit-Limit": "50", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1780099200000"}}}}', {}, ModelAccessError, None),
    (429, '{"error": {"message": "Rate limit exceeded: free-models-per-min. ", "code": 429, "metadata": {"headers": {"X-RateLimit-Limit": "20", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1780099200000"}}}}', {}, RateLimitedError, None),
    (402, '{"error": {"message": "This request requires more credits, or fewer max_tokens. You requested up to 4000 tokens, but can only afford 1538. To increase, visit https://openrouter.ai/settings/credits and add more credits", "code": 402}}', {}, RequestTooLargeError, 1538),
    (404, '{"error": {"message": "No endpoints found that support the requested parameters: response_format", "code": 404}}', {}, ModelAccessError, None),
    (429, '{"message": "You are using a Trial key, which is limited to 20 API calls / minute. You can continue to use the Trial key for free or upgrade to a Production key with higher rate limits at \'https://dashboard.cohere.com/api-keys\'. Contact us on \'https://discord.gg/XW44jPfYJu\' or email us at support@cohere.com with any questions"}', {}, RateLimitedError, None),
    (429, '{"message": "You are using a Trial key, which is limited to 1000 API calls / month. You can continue to use the Trial key for free or upgrade to a Production key"}', {}, ModelAccessError, None),
    (429, '{"error": {"message": "You have reached the rate limit specific to this model meta-llama/Llama-3.3-70B-Instruct-Turbo-Free. The maximum rate limit for this model is 6.0 queries and 180000 tokens per minute. This limit differs from the general rate limits published at Together AI rate limits documentation (https://docs.together.ai/docs/rate-limits). For inquiries about increasing your model-specific rate limit, please contact our sales team", "type": "model_rate_limit"}}', {}, RateLimitedError, None),
    (402, '{"error": {"message": "Credit limit exceeded, please navigate to https://api.together.ai/settings/billing to update billing", "type": "credit_limit"}}', {}, ModelAccessError, None),
    (422, '{"error": {"message": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4097. Given: 1000 `inputs` tokens and 4000 `max_new_tokens`", "type": "invalid_request_error", "code": null}}', {}, RequestTooLargeError, 3081),
    (429, '{"message": "Too many requests, please wait before trying again."}', {'x-amzn-errortype': 'ThrottlingException'}, RateLimitedError, None),
    (400, '{"__type": "ThrottlingException", "message": "Too many tokens, please wait before trying again."}', {}, RateLimitedError, None),
    (429, '{"message": "Too many tokens per day, please wait before trying again."}', {}, ModelAccessError, None),
    (403, '{"message": "You don\'t have access to the model with the specified model ID."}', {}, ModelAccessError, None),
    (400, '{"message": "Invocation of model ID anthropic.claude-3-5 with on-demand throughput isn\'t supported. Retry your request with the ID or ARN of an inference profile that contains this model."}', {}, ModelAccessError, None),
    (429, '{"message": "Model is not ready for inference. Please wait and try again."}', {}, RateLimitedError, None),
    (503, '{"error": "Model x is currently loading", "estimated_time": 20.0}', {}, RateLimitedError, 20.0),
    (402, '{"error": "You have exceeded your monthly included credits for Inference Providers. Subscribe to PRO to get 20x more monthly included credits."}', {}, ModelAccessError, None),
    (429, '{"error": {"message": "Rate limit reached for gpt-4o in organization org-x on tokens per min (TPM): Limit 30000, Used 28600, Requested 5000. Please try again in 7.2s. Visit https://platform.openai.com/account/rate-limits to learn more.", "type": "tokens", "code": "rate_limit_exceeded"}}', {}, RateLimitedError, 7.2),
    (429, '{"error": {"message": "Rate limit reached for gpt-4o in organization org-x on requests per min (RPM): Limit 3, Used 3, Requested 1. Please try again in 20s. Visit https://platform.openai.com/account/rate-limits to learn more. You can increase your rate limit by adding a payment method to your account at https://platform.openai.com/account/billing.", "type": "requests", "code": "rate_limit_exceeded"}}', {}, RateLimitedError, 20.0),
    (429, '{"error": {"message": "Request too large for gpt-4o in organization org-x on tokens per min (TPM): Limit 3000, Requested 4700. The input or output tokens must be reduced in order to run successfully. Visit https://platform.openai.com/account/rate-limits to learn more.", "type": "tokens", "code": "rate_limit_exceeded"}}', {}, RequestTooLargeError, 2284),
    (429, '{"error": {"message": "Rate limit reached for gpt-4o-mini in organization org-x on requests per day (RPD): Limit 200, Used 200, Requested 1. Please try again in 7m12s.", "type": "invalid_request_error", "code": "rate_limit_exceeded"}}', {}, RateLimitedError, 432.0),
    (400, '{"error": {"message": "This model\'s maximum context length is 8192 tokens. However, your messages resulted in 8300 tokens. Please reduce the length of the messages.", "type": "invalid_request_error", "code": "context_length_exceeded", "param": "messages"}}', {}, RequestTooLargeError, -124),
    (400, '{"error": {"message": "Invalid parameter: \'response_format\' of type \'json_schema\' is not supported with this model. Learn more about supported models at the Structured Outputs guide: https://platform.openai.com/docs/guides/structured-outputs", "type": "invalid_request_error", "param": null, "code": null}}', {}, ParameterRefusedError, 'response_format'),
    (400, '{"error": {"message": "response_format value as json_schema is enabled only for api versions 2024-08-01-preview and later", "type": "invalid_request_error", "code": "BadRequest"}}', {}, ParameterRefusedError, 'response_format'),
    (400, '{"error": {"message": "This response_format type is unavailable now", "type": "invalid_request_error"}}', {}, ParameterRefusedError, 'response_format'),
    (400, '{"error": {"message": "This model does not support response format `json_schema`. See supported models at https://console.groq.com/docs/structured-outputs#supported-models", "type": "invalid_request_error", "param": "response_format"}}', {}, ParameterRefusedError, 'response_format'),
    (400, '{"error": {"message": "JSON mode is not supported for this model", "type": "invalid_request_error"}}', {}, ParameterRefusedError, 'response_format'),
    (400, '{"type": "error", "error": {"type": "invalid_request_error", "message": "output_format: Extra inputs are not permitted"}}', {}, ParameterRefusedError, 'response_format'),
    (400, '{"type": "error", "error": {"type": "invalid_request_error", "message": "\'claude-3\' does not support output format."}}', {}, ParameterRefusedError, 'response_format'),
    (400, '{"error": {"code": 400, "message": "Function calling with a response mime type: \'application/json\' is unsupported", "status": "INVALID_ARGUMENT"}}', {}, ParameterRefusedError, 'response_format'),
    (400, '{"error": {"code": 400, "message": "Invalid JSON payload received. Unknown name \\"additionalProperties\\" at \'generation_config.response_schema\': Cannot find field.", "status": "INVALID_ARGUMENT"}}', {}, ParameterRefusedError, 'response_format'),
    (400, '{"object": "error", "message": "The provided JSON schema contains features not supported by xgrammar.", "code": 400}', {}, ParameterRefusedError, 'response_format'),
    (400, '{"error": {"code": 400, "message": "failed to parse grammar", "type": "invalid_request_error"}}', {}, ParameterRefusedError, 'response_format'),
    (500, '{"error": "failed to load model vocabulary required for format"}', {}, ParameterRefusedError, 'response_format'),
    (400, '{"type": "error", "error": {"type": "invalid_request_error", "message": "`temperature` and `top_p` cannot both be specified for this model. Please use only one."}}', {}, ParameterRefusedError, 'temperature'),
    (400, '{"type": "error", "error": {"type": "invalid_request_error", "message": "`temperature` may only be set to 1 when thinking is enabled."}}', {}, ParameterRefusedError, 'temperature'),
    (400, '{"type": "error", "error": {"type": "invalid_request_error", "message": "`temperature` is deprecated for this model."}}', {}, ParameterRefusedError, 'temperature'),
    (422, '{"error": "Input validation error: `temperature` must be strictly positive", "error_type": "validation"}', {}, ParameterRefusedError, 'temperature'),
    (400, '{"error": {"message": "invalid temperature: only 1 is allowed for this model", "type": "invalid_request_error"}}', {}, ParameterRefusedError, 'temperature'),
    (400, '{"code": "Client specified an invalid argument", "error": "Argument not supported on this model: seed"}', {}, ParameterRefusedError, 'seed'),
    (400, '{"error": {"code": 400, "message": "Invalid JSON payload received. Unknown name \\"seed\\": Cannot find field.", "status": "INVALID_ARGUMENT"}}', {}, ParameterRefusedError, 'seed'),
    (400, '{"error": {"message": "Unrecognized request argument supplied: max_completion_tokens", "type": "invalid_request_error"}}', {}, ParameterRefusedError, 'max_completion_tokens'),
    (400, '{"type": "error", "error": {"type": "invalid_request_error", "message": "max_tokens: 16000 > 4096, which is the maximum allowed number of output tokens for claude-3-haiku-20240307"}}', {}, RequestTooLargeError, 4096),
    (400, '{"error": {"message": "max_tokens is too large: 4000. This model supports at most 2048 completion tokens, whereas you provided 4000.", "type": "invalid_request_error", "param": "max_tokens", "code": "invalid_value"}}', {}, RequestTooLargeError, 2048),
    (400, '{"error": {"message": "`max_tokens` must be less than or equal to `2000`, the maximum value for `max_tokens` is less than the `context_window` for this model", "type": "invalid_request_error", "param": "max_tokens"}}', {}, RequestTooLargeError, 2000),
    (400, '{"error": {"code": 400, "message": "Unable to submit request because it has a maxOutputTokens value of 4000 but the supported range is from 1 (inclusive) to 3001 (exclusive). Update the value and try again.", "status": "INVALID_ARGUMENT"}}', {}, RequestTooLargeError, 3000),
    (400, '{"error": {"message": "Range of max_tokens should be [1, 2048]", "type": "invalid_request_error", "code": "invalid_parameter_error"}}', {}, RequestTooLargeError, 2048),
    (400, '{"error": {"message": "Invalid max_tokens value, the valid range of max_tokens is [1, 2048]", "type": "invalid_request_error"}}', {}, RequestTooLargeError, 2048),
    (400, '{"type": "error", "error": {"type": "invalid_request_error", "message": "prompt is too long: 204000 tokens > 200000 maximum"}}', {}, RequestTooLargeError, -4016),
    (400, '{"type": "error", "error": {"type": "invalid_request_error", "message": "input length and `max_tokens` exceed context limit: 198000 + 4000 > 200000, decrease input length or `max_tokens` and try again"}}', {}, RequestTooLargeError, -16),
    (400, '{"object": "error", "message": "Prompt contains 33000 tokens and 0 draft tokens, too large for model with 32768 maximum context length", "type": "invalid_request_prompt", "code": "3051"}', {}, RequestTooLargeError, None),
    (400, '{"message": "too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 5000. Try using a shorter prompt, or enabling prompt truncating. See https://docs.cohere.com/reference/generate for more details."}', {}, RequestTooLargeError, None),
    (400, '{"error": "The number of tokens to keep from the initial prompt is greater than the context length. Try to load the model with a larger context length, or provide a shorter input"}', {}, RequestTooLargeError, None),
    (404, '{"error": {"message": "The model `x` does not exist or you do not have access to it.", "type": "invalid_request_error", "code": "model_not_found"}}', {}, ModelAccessError, None),
    (400, '{"error": {"message": "Model Not Exist", "type": "invalid_request_error"}}', {}, ModelAccessError, None),
    (400, '{"error": {"message": "The model `llama3-8b-8192` has been decommissioned and is no longer supported. Please refer to https://console.groq.com/docs/deprecations for a recommendation on which model to use instead.", "type": "invalid_request_error", "code": "model_decommissioned"}}', {}, ModelAccessError, None),
    (400, '{"error": {"message": "foo/bar is not a valid model ID", "code": 400}}', {}, ModelAccessError, None),
    (400, '{"object": "error", "message": "Invalid model: mistral-foo", "type": "invalid_model", "code": "1500"}', {}, ModelAccessError, None),
    (403, '{"error": {"message": "meta-llama/x requires moderation on OpenAI. Your input was flagged for \\"violence\\". No credits were charged.", "code": 403}}', {}, ModelUnavailableError, None),
    (400, '{"error": {"message": "The prompt could not be submitted. This prompt contains sensitive words that violate Google\'s Responsible AI practices.", "code": 400}}', {}, ModelUnavailableError, None),
    (400, '{"error": {"message": "Invalid prompt: your prompt was flagged as potentially violating our usage policy.", "type": "invalid_request_error", "code": "invalid_prompt"}}', {}, ModelUnavailableError, None),
    (400, '{"error": {"message": "Failed to generate JSON. Please adjust your prompt. See \'failed_generation\' for more details.", "type": "invalid_request_error", "code": "json_validate_failed"}}', {}, FailedGenerationError, None),
    (400, '{"error": {"message": "Tool choice is none, but model called a tool", "type": "invalid_request_error", "code": "tool_use_failed"}}', {}, FailedGenerationError, None),
    (400, '{"error": {"message": "max completion tokens reached before generating a valid document. Please adjust max_completion_tokens", "type": "invalid_request_error", "code": "json_validate_failed"}}', {}, FailedGenerationError, None),
    (400, '{"error": {"message": "Generated JSON does not match the expected schema. Please adjust your prompt. See \'failed_generation\' for more details. Error: jsonschema: \'\' does not validate with /required: missing properties: \'canonical_title\'", "type": "invalid_request_error", "code": "json_validate_failed"}}', {}, FailedGenerationError, None),
    (403, 'error code: 1010', {}, ModelAccessError, None),
    (401, '{"error": {"code": "401", "message": "Access denied due to invalid subscription key or wrong API endpoint."}}', {}, ModelAccessError, None),
    (404, '{"error": {"code": "404", "message": "Resource not found"}}', {}, ModelAccessError, None),
    (429, '{"error": {"code": "1302", "message": "您当前使用该API的并发数过高"}}', {}, RateLimitedError, None),
    (429, '{"error": {"code": "1113", "message": "Insufficient balance or no resource package. Please recharge."}}', {}, ModelAccessError, None),
    (429, '{"error": {"message": "Your account org-x<ak-y> is suspended, please check your plan and billing details", "type": "exceeded_current_quota_error"}}', {}, ModelAccessError, None),
    (429, '{"error": {"message": "Your account org-x request reached organization max RPM: 3, please try again after 1 seconds", "type": "rate_limit_reached_error"}}', {}, RateLimitedError, 1.0),
    (400, '{"error": {"message": "Access denied, please make sure your account is in good standing.", "type": "Arrearage", "code": "Arrearage"}}', {}, ModelAccessError, None),
    (429, '{"message": "Requests per minute limit exceeded - too many requests sent.", "type": "too_many_requests_error", "param": "quota", "code": "request_quota_exceeded"}', {'retry-after': '65'}, RateLimitedError, 65.0),
    (429, '{"message": "Tokens per minute limit exceeded - too many tokens processed.", "type": "too_many_tokens_error", "param": "quota", "code": "token_quota_exceeded"}', {}, RateLimitedError, None),
    (429, '{"message": "We\'re experiencing high traffic right now! Please try again soon.", "type": "too_many_requests_error", "param": "queue", "code": "queue_exceeded"}', {}, RateLimitedError, None),
    (429, '{"message": "Tokens per day limit exceeded - too many tokens processed.", "type": "too_many_tokens_error", "param": "quota", "code": "token_quota_exceeded"}', {}, ModelAccessError, None),
    (429, '{"error": "Rate limit exceeded"}', {}, RateLimitedError, None),
    (429, '{"error": {"code": "RateLimitReached", "message": "Rate limit of 10 per 60s exceeded for UserByModelByMinute. Please wait 34 seconds before retrying.", "details": "Rate limit of 10 per 60s exceeded for UserByModelByMinute. Please wait 34 seconds before retrying."}}', {}, RateLimitedError, 34.0),
    (429, '{"error": {"code": "RateLimitReached", "message": "Rate limit of 50 per 86400s exceeded for UserByModelByDay. Please wait 40000 seconds before retrying."}}', {}, RateLimitedError, 40000.0),
    (429, '{"error": {"message": "No deployments available for selected model, Try again in 5 seconds. Passed model=x. pre-call-checks=False, cooldown_list=[]", "type": "None", "code": "429"}}', {}, RateLimitedError, 5.0),
    (400, '{"error": {"message": "Budget has been exceeded! Current cost: 10.1, Max budget: 10.0", "type": "budget_exceeded"}}', {}, ModelAccessError, None),
    (400, '{"error": {"message": "/chat/completions: Invalid model name passed in model=x. Call `/v1/models` to view available models for your key.", "type": "invalid_request_error", "code": "400"}}', {}, ModelAccessError, None),
    (429, '{"type": "error", "error": {"type": "rate_limit_error", "message": "This request would exceed your organization\'s rate limit of 50,000 input tokens per minute (org: x, model: claude-sonnet). For details, refer to: https://docs.claude.com/en/api/rate-limits. You can see the response headers for current usage. Please reduce the prompt length or the maximum tokens requested, or try again later. You may also contact sales at https://claude.com/contact-sales to discuss your options for a rate limit increase."}}', {'retry-after': '12'}, RateLimitedError, 12.0),
    (429, '{"type": "error", "error": {"type": "rate_limit_error", "message": "This request would exceed your organization\'s rate limit of 50,000 input tokens per minute. Please reduce the prompt length or the maximum tokens requested, or try again later."}}', {}, RateLimitedError, None),
    (500, '{"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}', {}, RateLimitedError, None),
    (503, '{"error": {"message": "The engine is currently overloaded, please try again later", "type": "invalid_request_error"}}', {}, RateLimitedError, None),
    (503, '{"error": {"message": "Slow Down", "type": "invalid_request_error"}}', {}, RateLimitedError, None),
    (524, '', {}, RateLimitedError, None),
    (529, '', {'retry-after': '3'}, RateLimitedError, 3.0),
    (429, '{"object": "error", "message": "Service tier capacity exceeded for this model.", "type": "service_tier_capacity_exceeded", "code": "3505"}', {}, RateLimitedError, None),
    (429, '{"message": "You have exceeded your monthly usage limit"}', {}, ModelAccessError, None),
    (429, '{"error": {"code": "429", "message": "The system is currently experiencing high demand and cannot process your request. Your request exceeds the maximum usage size allowed during peak load."}}', {}, RateLimitedError, None),
    (429, '{"error": {"message": "Request didn\'t generate first token before the given deadline", "type": "invalid_request_error"}}', {}, RateLimitedError, None),
    (503, '', {}, RateLimitedError, None),
    (400, '{"error": {"message": "Unsupported response_format type: json_schema", "type": "invalid_request_error"}}', {}, ParameterRefusedError, 'response_format'),
    (400, '{"error": {"message": "[\'At body -> response_format -> ResponseFormatText -> type: Input should be \'text\'\']", "type": "invalid_request_error"}}', {}, ParameterRefusedError, 'response_format'),
    (400, '{"error": {"message": "Invalid request: unsupported response_format type json_schema", "type": "invalid_request_error"}}', {}, ParameterRefusedError, 'response_format'),
    (400, '{"error": {"message": "\'messages\' must contain the word \'json\' in some form, to use \'response_format\' of type \'json_object\'.", "type": "invalid_request_error"}}', {}, ParameterRefusedError, 'response_format'),
    (400, '{"error": {"message": "Invalid schema for response_format \'issue_label\': In context=(), \'additionalProperties\' is required to be supplied and to be false.", "type": "invalid_request_error", "param": "response_format"}}', {}, ParameterRefusedError, 'response_format'),
    (400, '{"error": {"code": 400, "message": "The specified schema produces a constraint that has too many states for serving.", "status": "INVALID_ARGUMENT"}}', {}, ParameterRefusedError, 'response_format'),
    (400, '{"type": "error", "error": {"type": "invalid_request_error", "message": "output_config.format: schema is too complex"}}', {}, ParameterRefusedError, 'response_format'),
    (400, '{"message": "guided decoding is disabled", "code": 400}', {}, ParameterRefusedError, 'response_format'),
    (400, '{"message": "The model returned the following errors: temperature: `temperature` and `top_p` cannot both be specified"}', {}, ParameterRefusedError, 'temperature'),
    (400, '{"error": {"message": "temperature must be greater than 0", "type": "invalid_request_error"}}', {}, ParameterRefusedError, 'temperature'),
    (400, '{"error": {"message": "Unsupported parameter: \'temperature\' is not supported with this model.", "type": "invalid_request_error", "param": "temperature", "code": "unsupported_parameter"}}', {}, ParameterRefusedError, 'temperature'),
    (422, '{"message": "unknown field: parameter \'seed\' is not a valid field"}', {}, ParameterRefusedError, 'seed'),
    (400, '{"error": {"message": "Extra inputs are not permitted, field: \'seed\', value: 0", "type": "invalid_request_error"}}', {}, ParameterRefusedError, 'seed'),
    (422, '{"detail": [{"loc": ["body", "max_tokens"], "msg": "extra fields not permitted", "type": "value_error.extra"}]}', {}, ParameterRefusedError, 'max_tokens'),
    (400, '{"error": {"message": "max_tokens is deprecated; use max_completion_tokens", "type": "invalid_request_error"}}', {}, ParameterRefusedError, 'max_tokens'),
    (400, '{"error": {"message": "Requested token count exceeds the model\'s maximum context length of 4096 tokens. You requested a total of 5100 tokens: 1100 tokens from the input messages and 4000 tokens for the completion.", "type": "invalid_request_error", "code": 400}}', {}, RequestTooLargeError, 2980),
    (400, '{"error": {"message": "Please reduce the length of the messages or completion.", "type": "invalid_request_error", "code": "context_length_exceeded"}}', {}, RequestTooLargeError, None),
    (400, '{"message": "Please reduce the length of the messages or completion. Current length is 9000 while limit is 8192", "type": "invalid_request_error", "param": "messages", "code": "context_length_exceeded"}', {}, RequestTooLargeError, None),
    (400, '{"message": "max tokens must be less than or equal to 2048."}', {}, RequestTooLargeError, 2048),
    (400, '{"error": {"message": "max_tokens must be at least 1, got -500", "type": "invalid_request_error"}}', {}, RequestTooLargeError, None),
    (400, '{"message": "The maximum tokens you requested exceeds the model limit of 2048. Try again with a maximum tokens value that is lower than 2048."}', {}, RequestTooLargeError, 2048),
    (413, '{"error": {"code": "tokens_limit_reached", "message": "Request body too large for gpt-4o model. Max size: 8000 tokens."}}', {}, RequestTooLargeError, None),
    (400, '{"error": "The number of tokens to keep from the initial prompt is greater than the context length"}', {}, RequestTooLargeError, None),
    (403, '{"code": "The caller does not have permission", "error": "Your newly created teams doesn\'t have any credits yet."}', {}, ModelAccessError, None),
    (403, '{"error": {"message": "Country, region, or territory not supported", "type": "invalid_request_error", "code": "unsupported_country_region_territory"}}', {}, ModelAccessError, None),
    (404, '{"error": {"message": "Your organization must be verified to use the model `o3`.", "type": "invalid_request_error"}}', {}, ModelAccessError, None),
    (401, '{"error": {"message": "You must be a member of an organization to use the API", "type": "invalid_request_error"}}', {}, ModelAccessError, None),
    (400, '{"error": {"message": "Organization has been restricted. Please reach out to support if you believe this was in error.", "type": "invalid_request_error", "code": "organization_restricted"}}', {}, ModelAccessError, None),
    (400, '{"error": {"message": "Blocked API access: spend alert limit reached", "type": "invalid_request_error", "code": "blocked_api_access"}}', {}, ModelAccessError, None),
    (403, '{"error": {"type": "permission_error", "message": "Your API key does not have permission"}}', {}, ModelAccessError, None),
    (400, '{"error": {"message": "The requested model \'x\' is not a chat model", "type": "invalid_request_error", "code": "model_not_supported"}}', {}, ModelAccessError, None),
    (404, '{"message": "The model `x` does not exist.", "code": 404}', {}, ModelAccessError, None),
    (401, '{"error": {"message": "Invalid API Key", "type": "authentication_error", "code": 401}}', {}, ModelAccessError, None),
    (404, '{"error": {"message": "No models loaded. Please load a model in the developer page or use the `lms load` command."}}', {}, ModelAccessError, None),
    (400, '{"error": {"message": "No models loaded. Please load a model in the developer page or use the `lms load` command."}}', {}, ModelAccessError, None),
    (400, '{"error": "\\"nomic-embed\\" does not support chat"}', {}, ModelAccessError, None),
    (500, '{"error": "model requires more system memory (8 GiB) than is available (4 GiB)"}', {}, ModelUnavailableError, None),
    (400, '{"error": {"message": "Content Exists Risk", "type": "invalid_request_error"}}', {}, ModelUnavailableError, None),
    (400, '{"error": {"message": "Input data may contain inappropriate content.", "type": "invalid_request_error", "code": "data_inspection_failed"}}', {}, ModelUnavailableError, None),
    (400, '{"error": {"message": "The response was filtered. invalid", "code": "content_filter"}}', {}, ModelUnavailableError, None),
]
# fmt: on


def meant(
    status: int | None,
    text: str,
    headers: Mapping[str, str] | None = None,
    *,
    name: str = "openai/x",
    base_url: str = "http://h/v1",
) -> LabelingError:
    return meaning(
        Refusal(status, headers or {}, text, "its words"),
        source="remote",
        name=name,
        base_url=base_url,
        sent=CallParameters(SCHEMA, 4_000),
    )


def detail(error: LabelingError) -> object:
    """Return what the next call depends on: the wait, the room, or the parameter."""
    match error:
        case RateLimitedError():
            return error.wait_s
        case RequestTooLargeError():
            return error.fits
        case ParameterRefusedError():
            return error.names[0]
    return None


@pytest.mark.parametrize(("status", "text", "headers", "kind", "expected"), REFUSALS)
def test_a_refusal_means_what_its_provider_means_by_it(
    status: int, text: str, headers: dict[str, str], kind: type[LabelingError], expected: object
):
    error = meant(status, text, headers)
    assert (type(error), detail(error)) == (kind, expected)


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("Please try again in 1m26.4s.", 86.4),
        ("Please wait 34 seconds before retrying.", 34),
        ("Please wait for another 2 minutes", 120),
        ("please try again after 1 seconds", 1),
        ("Retry after 500ms", 0.5),
        ("Please wait a moment", None),
        (json.dumps({"retryDelay": "34.074824224s"}), 34.074824224),
        ("retry_delay {\n  seconds: 57\n}", 57),
        (json.dumps({"retry_after": "20"}), 20),
        (json.dumps({"retryAfter": 7}), 7),
        (json.dumps({"error": "Model x is currently loading", "estimated_time": 20.0}), 20),
    ],
)
def test_a_wait_is_read_from_a_providers_words(words: str, seconds: float | None):
    assert read_wait_s({}, words) == seconds


@pytest.mark.parametrize(
    ("name", "base_url", "status", "text"),
    [
        ("openai/x", "http://h:1234", 422, "litellm.BadRequestError: OpenAIException - "),
        ("lm_studio/x", "http://h:1234", 400, "Unexpected endpoint or method."),
        ("openai/x", "http://h:3000", None, "Expecting value: line 1, <APIResponse [200 OK]>"),
        ("openai/x", "http://h/v1/chat/completions", 404, "Not Found"),
        ("ollama_chat/x", "http://h:11434/v1", 404, "404 page not found"),
    ],
    ids=["LM Studio", "LM Studio's words", "a page for people", "a whole address", "Ollama"],
)
def test_an_address_that_is_no_api_is_named(
    name: str, base_url: str, status: int | None, text: str
):
    error = meant(status, text, name=name, base_url=base_url)
    assert isinstance(error, ModelAccessError)
    assert "Check LLM_REMOTE_BASE_URL" in str(error)


def test_one_reply_without_json_from_the_right_address_does_not_end_the_run():
    error = meant(None, "Expecting value: line 1, <APIResponse [200 OK]>")
    assert not isinstance(error, ModelAccessError)
