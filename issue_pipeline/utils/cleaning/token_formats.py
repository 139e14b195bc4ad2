"""The formats of access tokens, one table for the patterns, the pre-check and the samples of tests.

A format is written as it looks: ``ghp_<alnum:36>`` is the literal ``ghp_`` and 36 letters or
digits; ``<hex:20-40>`` is 20 to 40 hexadecimal digits, ``<uuid>`` a UUID. The facts (prefix,
alphabet, length) are those of the providers' documentation and of the scanners gitleaks,
TruffleHog and Kingfisher, as of 2026. To add a provider, add a line.

Identifiers that providers call public (Stripe's ``pk_live_``, PubNub's ``pub-c-``) are listed where
somebody could take them for the secret; an account's number that opens nothing (Twilio's ``AC...``,
PostHog's ``phc_``) is not.
"""

import re
from dataclasses import dataclass

# What a token of the alphabet may hold, and, wider, what is taken for its characters.
ALPHABETS = {
    "hex": ("0123456789abcdef", "0-9A-Fa-f"),
    "lower": ("abcdefghijklmnopqrstuvwxyz0123456789", "A-Za-z0-9"),
    "upper": ("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", "A-Za-z0-9"),
    "letters": ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", "A-Za-z0-9"),
    "alnum": ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "A-Za-z0-9"),
    "url": ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-", "A-Za-z0-9_-"),
    "dot": ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-", "A-Za-z0-9_.~-"),
    "b64": ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", "A-Za-z0-9+/_-"),
    "digits": ("0123456789", "0-9"),
    "base58": ("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", "A-Za-z0-9"),
    "crypt": ("./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "A-Za-z0-9./"),
    "base32": ("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "A-Z0-9"),
}

# The prefix says that it is a secret: what follows is hidden unless it is words.
_SURE = """
1Password       ops_eyJ<b64:100-900>  A3-<upper:6>-<upper:6>-<upper:5>-<upper:5>-<upper:5>-<upper:5>
Adafruit        aio_<alnum:28>
Adobe           p8e-<lower:32>
age             AGE-SECRET-KEY-1<upper:58>  AGE-PLUGIN-<upper:6-12>-<upper:20-60>
Airtable        pat<alnum:14>.<hex:64>
Aiven           AVNS_<url:19>
Akamai          akab-<lower:16>-<lower:16>
Alibaba         LTAI<alnum:17-21>
Anthropic       sk-ant-<url:90-120>
Anyscale        esecret_<alnum:24-32>
Apify           apify_api_<alnum:36>
Apollo          user:gh.<url:36>.<url:20-30>
Artifactory     AKCp<alnum:69>  cmVmdGtu<alnum:56>
Atlassian       ATATT3x<url:180-190>  ATCTT3x<url:180-190>  ATSTT3x<url:100-190>
Axiom           xaat-<uuid>  xapt-<uuid>
AWS             AKIA<base32:16>  ASIA<base32:16>  ABIA<base32:16>  ACCA<base32:16>  A3T<upper:17>
AWS Bedrock     ABSK<b64:109-160>  bedrock-api-key-<b64:80-400>
Azure           <dot:3><digits:1>Q~<dot:31-34>  <alnum:76>AZDO<alnum:4>  <alnum:52>JQQJ99<alnum:26>
Azure           <b64:70-80>+ASt<b64:8-10>  <b64:30-44>AzFu<b64:6-8>  <alnum:42>AzSe<alnum:6>
Azure           <b64:33>+AEh<b64:6>  <b64:33>+ASb<b64:6>  <b64:33>AIoT<b64:6>  <b64:33>AzCa<b64:6>
Azure           <b64:70-76>ACDb<b64:6-10>  <b64:42>+ACR<b64:6>  <b64:76>+ABa<b64:6-10>
Baidu           bce-v3/ALTAK-<alnum:21>/<hex:40>
Beeper, Matrix  syt_<b64:8-30>_<alnum:20>_<alnum:6>  mct_<alnum:30>_<alnum:6>
Bitcoin         xprv<base58:107>  yprv<base58:107>  zprv<base58:107>  tprv<base58:107>
Bitwarden       0.<uuid>.<alnum:30>:<b64:22>
Blynk           oa2-client-id_<url:32>
Braintree       access_token$production$<lower:16>$<hex:32>
Braintree       access_token$sandbox$<lower:16>$<hex:32>
Brevo           xkeysib-<hex:64>-<alnum:16>  xsmtpsib-<hex:64>-<alnum:16>
Browserbase     bb_live_<url:27>  bb_test_<url:27>
Buildkite       bkua_<hex:40>  bkaj_<url:40-120>  bkct_<url:40-120>  bkpt_<url:40-80>
Canva           cnvca<url:50-56>
Checkly         cu_<hex:32>
Chromatic       chpt_<hex:15-20>
CircleCI        CCIPAT_<alnum:22>_<hex:40>  CCIPRJ_<alnum:22>_<hex:40>
Clojars         CLOJARS_<hex:60>
Cloudflare      cfut_<alnum:48>  cfat_<alnum:48>  cfk_<alnum:48>
Cloudflare      v1.0-<hex:24>-<hex:146>
CockroachDB     CCDB1_<alnum:22>_<alnum:40>
Contentful      CFPAT-<url:43>
Cursor          crsr_<hex:64>
Databricks      dapi<hex:32>  dose<hex:32>  dkea<hex:32>
Datadog         ddapp_<alnum:34>
Daytona         dtn_<hex:64>
dbt             dbtc_<url:36-60>  dbtu_<url:36-60>  dbts_<url:36-60>
Defined         dnkey-<lower:26>-<lower:52>
Dependency-Track  odt_<alnum:32-40>
DigitalOcean    dop_v1_<hex:64>  doo_v1_<hex:64>  dor_v1_<hex:64>
Discord         M<alnum:23-27>.<url:6>.<url:27-38>  N<alnum:23-27>.<url:6>.<url:27-38>
Discord         O<alnum:23-27>.<url:6>.<url:27-38>  mfa.<url:84>
Docker          dckr_pat_<url:27>  dckr_oat_<url:32>
Doppler         dp.pt.<alnum:40-44>  dp.ct.<alnum:40-44>  dp.sa.<alnum:40-44>  dp.scim.<alnum:40-44>
Doppler         dp.audit.<alnum:40-44>  dp.said.<alnum:40-44>  dp.st.<dot:44-60>
Dropbox         sl.u.<url:130-200>  sl.<url:130-152>
Duffel          duffel_test_<url:43>  duffel_live_<url:43>
Dynatrace       dt0c01.<upper:24>.<upper:64>  dt0s01.<upper:8>.<upper:64>
Dynatrace       dt0s16.<upper:8>.<upper:64>
E2B             e2b_<hex:40>
EasyPost        EZAK<alnum:54>  EZTK<alnum:54>
Fauna           fnA<url:36-40>
Figma           figd_<url:40>  figp_<url:40-54>  figo_<url:40>  figu_<url:40>  figoh_<url:40>
Firebase        AAAA<url:7>:APA91b<url:134>
Fleetbase       flb_live_<alnum:20>
Flexport        shltm_<url:40>
Flutterwave     FLWSECK_TEST-<hex:12-32>  FLWSECK-<lower:32>-X  FLWPUBK_TEST-<hex:32>-X
Flutterwave     FLWPUBK-<lower:32>-X
Fly             fo1_<url:43>  fm1r_<b64:100-400>  fm1a_<b64:100-400>  fm2_<b64:100-400>
Frame.io        fio-u-<url:64>
Friendli        flp_<alnum:40-52>
FullStory       na1.<b64:100>
Ghost           <hex:24>:<hex:64>
GitHub          ghp_<alnum:36>  gho_<alnum:36>  ghu_<alnum:36>  ghs_<alnum:36>  ghr_<alnum:36-76>
GitHub          github_pat_<url:82>  v1.<hex:40>
GitLab          glpat-<url:27-60>.<lower:2>.<lower:9>  glpat-<url:20-27>  gldt-<url:20>
GitLab          glrt-<url:27-60>.<lower:2>.<lower:9>  glrt-<url:20-40>
GitLab          glrtr-<url:20-40>  glcbt-<alnum:1-5>_<url:20>  glptt-<hex:40>  glft-<url:20>
GitLab          glimt-<url:25>  glagent-<url:50>  gloas-<hex:64>  glsoat-<url:20>  glffct-<url:20>
GitLab          glwt-<url:20>  GR1348941<url:20>
Google          AIza<url:35>  ya29.<url:60-220>  GOCSPX-<url:28>  GOOG1E<alnum:55>
Grafana         glsa_<alnum:32>_<hex:8>  glc_<b64:60-200>  eyJrIjoi<b64:60-110>
Groq            gsk_<alnum:52>
Harness         pat.<url:22>.<hex:24>.<alnum:20>  sat.<url:22>.<hex:24>.<alnum:20>
HashiCorp       hvs.<url:24-120>  hvb.<url:138-200>  hvr.<url:24-120>
HashiCorp       <alnum:14>.atlasv1.<url:60-70>
Helicone        sk-helicone-<lower:28>  pk-helicone-<lower:28>
Heroku          HRKU-AA<url:58>  HRKU-<uuid>
Honeycomb       hcaik_<lower:58>  hcxik_<lower:58>  hcamk_<lower:26-58>  hcxmk_<lower:26-58>
HubSpot         pat-na1-<uuid>  pat-eu1-<uuid>  pat-na2-<uuid>  pat-ap1-<uuid>
Hugging Face    api_org_<letters:34>
Inngest         signkey-prod-<hex:64>  signkey-test-<hex:64>  signkey-branch-<hex:64>
Intercom        dG9rOj<b64:52-60>
Intra42         s-s4t2ud-<hex:64>  s-s4t2af-<hex:64>
Ionic           ion_<alnum:42>
Jina            jina_<alnum:60>
JSON Web Token  eyJ<url:10-200>.<dot:4-600>
Kaggle          KGAT_<hex:32>
Kong            kpat_<alnum:49>  spat_<alnum:49>
LambdaTest      LT_<alnum:48-50>
LangFuse        sk-lf-<uuid>  pk-lf-<uuid>
LangSmith       lsv2_pt_<hex:32>_<hex:10>  lsv2_sk_<hex:32>_<hex:10>  ls__<hex:32>
LaunchDarkly    sdk-<uuid>  mob-<uuid>  api-<uuid>
Linear          lin_api_<alnum:40>  lin_oauth_<hex:64>  lin_wh_<alnum:40>
LlamaCloud      llx-<alnum:48>
MailerSend      mlsn.<hex:64>
Mailchimp       <hex:32>-us<digits:1-2>
Mailgun         <hex:32>-<hex:8>-<hex:8>  pubkey-<hex:32>
Mapbox          sk.eyJ<url:60-100>.<url:22>  tk.eyJ<url:60-100>.<url:22>
Materialize     mzp_<hex:64>
MaxMind         <alnum:6>_<alnum:29>_mmk
Mem0            m0-<alnum:40>
Mercury         secret-token:mercury_production_<alnum:20-60>
MongoDB Atlas   mdb_sa_sk_<url:40>
n8n             n8n_api_<hex:40-160>
Neon            napi_<lower:64>
Netlify         nfp_<alnum:36>  nfc_<alnum:36>  nfo_<alnum:36>  nfb_<alnum:36>  nfu_<alnum:36>
New Relic       NRAK-<upper:27>  NRII-<url:32>  NRIQ-<url:32>  NRJS-<hex:19>  NRRA-<hex:42>
New Relic       NRBR-<hex:19>  NRSP-<hex:42>  <hex:36>NRAL  NRAA-<hex:27>
Nightfall       NF-<alnum:32>
Nostr           nsec1<lower:58>
Notion          ntn_<alnum:46>
npm             npm_<alnum:36>
NVIDIA          nvapi-<url:64>
Octopus         API-<upper:25-32>
OneSignal       os_v2_app_<lower:103>  os_v2_org_<lower:103>
OpenAI          sk-proj-<url:74>T3BlbkFJ<url:74>  sk-svcacct-<url:74>T3BlbkFJ<url:74>
OpenAI          sk-admin-<url:58>T3BlbkFJ<url:58>  sk-<alnum:20>T3BlbkFJ<alnum:20>
OpenAI          sk-None-<url:40-150>
OpenRouter      sk-or-v1-<hex:64>
OpenShift       sha256~<url:43>
Orb, Svix       testsk_<url:32-48>
Packagist       packagist_ack_<hex:32-80>  packagist_uut_<hex:32-80>  packagist_out_<hex:32-80>
Paddle          pdl_live_apikey_<lower:26>_<alnum:22>_<alnum:3>
Paddle          pdl_sdbx_apikey_<lower:26>_<alnum:22>_<alnum:3>
PagarMe         ak_live_<alnum:30>  ak_test_<alnum:30>
Password hash   $2a$<digits:2>$<crypt:53>  $2b$<digits:2>$<crypt:53>  $2y$<digits:2>$<crypt:53>
Password hash   $1$<crypt:8>$<crypt:22>  $apr1$<crypt:8>$<crypt:22>  $5$<crypt:8-16>$<crypt:43>
Password hash   $6$<crypt:8-16>$<crypt:86>
Password hash   $argon2id$v=19$m=<digits:4-6>,t=<digits:1>,p=<digits:1>$<b64:22>$<b64:43>
PayPal          A21AA<url:80-100>
Paystack        sk_live_<hex:40>  sk_test_<hex:40>
Permit          permit_key_<alnum:80>
Perplexity      pplx-<alnum:48>
Pinecone        pcsk_<alnum:5-6>_<alnum:63>
Plaid           access-sandbox-<uuid>  access-production-<uuid>  access-development-<uuid>
PlanetScale     pscale_tkn_<url:43>  pscale_pw_<url:43>  pscale_oauth_<url:43>  pscale_app_<url:43>
Polar           polar_oat_<alnum:43>  polar_pat_<alnum:43>  polar_whs_<alnum:43>
PostHog         phx_<alnum:43-48>  phs_<alnum:43-48>  pha_<alnum:43-48>  phr_<alnum:43-48>
Postman         PMAK-<hex:24>-<hex:34>  PMAT-<upper:26>
Prefect         pnu_<alnum:36>  pnb_<alnum:36>
PubNub          sec-c-<b64:48>  pub-c-<uuid>  sub-c-<uuid>
Pulumi          pul-<hex:40>
PyPI            pypi-AgEIcHlwaS5vcmc<url:50-180>  pypi-AgENdGVzdC5weXBpLm9yZw<url:50-180>
Ramp            ramp_sec_<alnum:48>
Razorpay        rzp_live_<alnum:14>  rzp_test_<alnum:14>
ReadMe          rdme_<lower:70>
Replicate       r8_<alnum:37>
Rootly          rootly_<hex:64>
RubyGems        rubygems_<hex:48>
RunPod          rpa_<upper:40>
Salad           salad_cloud_<alnum:1-7>_<alnum:40-120>
Salesforce      00D<alnum:12>!<dot:96>  3AurX8<url:80>
Scaleway        SCW<upper:17>
Scalingo        tk-us-<url:48>
Scrapfly        scp-live-<hex:32>  scp-test-<hex:32>
Segment         sgp_<alnum:64>
SendGrid        SG.<url:20-24>.<url:39-47>
Sentry          sntrys_eyJ<b64:100-300>  sntryu_<hex:64>  sntrya_<hex:64>  sntryi_<hex:64>
Settlemint      sm_aat_<alnum:16>  sm_pat_<alnum:16>  sm_sat_<alnum:16>
Shippo          shippo_live_<hex:40>  shippo_test_<hex:40>
Shopify         shpat_<hex:32>  shpca_<hex:32>  shppa_<hex:32>  shpss_<hex:32>  shpua_<hex:32>
Shopify         shptka_<hex:32>  shprt_<hex:32>  atkn_<hex:64>
Slack           xoxb-<digits:11>-<digits:12>-<alnum:24>  xoxb-<url:30-60>
Slack           xoxp-<digits:11>-<digits:11>-<digits:12>-<hex:32>  xoxp-<url:30-80>
Slack           xoxa-2-<url:40-70>  xoxr-<url:40-60>  xoxs-<url:40-60>  xoxo-<url:40-60>
Slack           xoxe.xoxb-1-<upper:160>  xoxe.xoxp-1-<upper:160>  xoxe-1-<upper:146>
Slack           xoxc-<digits:11>-<digits:11>-<hex:64>  xoxd-<url:80-140>  xwfp-<url:40-60>
Slack           xapp-1-<upper:11>-<digits:13>-<hex:64>
Snyk            snyk_uat.<hex:8>.<url:40-80>  snyk_sat.<hex:8>.<url:40-80>
SonarQube       sqp_<hex:40>  squ_<hex:40>  sqa_<hex:40>  sqco_<alnum:59>
Sourcegraph     sgp_<hex:16>_<hex:40>  sgp_local_<hex:40>  sgp_<hex:40>  slk_<hex:64>
Square          sq0atp-<url:22>  sq0csp-<url:43>  sq0idp-<url:22>  EAAA<url:60>
StackHawk       hawk.<url:20>.<url:20>
Statsig         secret-<alnum:40-44>  console-<alnum:40-44>
Stripe          sk_live_<alnum:16-99>  rk_live_<alnum:16-99>  sk_test_<alnum:16-99>
Stripe          rk_test_<alnum:16-99>  sk_prod_<alnum:16-99>  pk_live_<alnum:16-99>
Stripe          pk_test_<alnum:16-99>  whsec_<b64:32-44>
Stripe          pi_<alnum:24>_secret_<alnum:25>  seti_<alnum:24>_secret_<alnum:25>
Stytch          secret-live-<url:36-48>  secret-test-<url:36-48>
Supabase        sbp_<hex:40>  sbp_v0_<hex:40>  sbp_oauth_<hex:40>  sb_secret_<url:31>
Tailscale       tskey-auth-<url:40-60>  tskey-api-<url:40-60>
Tailscale       tskey-client-<url:40-60>  tskey-scim-<url:40-60>
Tavily          tvly-<alnum:32>  tvly-dev-<url:32-58>  tvly-prod-<url:32-58>
Telegram        bot<digits:8-10>:AA<url:33>  <digits:8-10>:AA<url:33>
Telnyx          KEY<hex:32>_<alnum:22>
Tencent         AKID<alnum:32>
Tines           tines_<alnum:32-60>
Tinybird        p.eyJ<url:60-120>.<url:40-46>
Together        tgp_v1_<url:43>
Trello          ATTA<hex:72>
Trigger.dev     tr_prod_<alnum:20-24>  tr_dev_<alnum:20-24>  tr_pat_<alnum:40>  tr_stg_<alnum:20-24>
Twilio          SK<hex:32>
Twitch          oauth:<lower:30>
Typeform        tfp_<url:44>_<alnum:14>
Ubidots         BBFF-<alnum:30>
Unkey           unkey_<alnum:20-30>
Upcloud         ucat_<upper:26>
Vanta           vat_<hex:32-64>
Vercel          vcp_<alnum:56>  vci_<alnum:56>  vca_<alnum:56>  vcr_<alnum:56>  vck_<alnum:56>
Vercel          vercel_blob_rw_<alnum:16>_<alnum:30>
Voiceflow       VF.DM.<hex:24>.<alnum:16>  VF.WS.<hex:24>.<alnum:16>
WakaTime        waka_<uuid>
Weights & Biases  wandb_v1_<url:60-90>
xAI             xai-<alnum:80>
Xata            xau_<alnum:40-44>
Yandex          AQVN<url:35-38>  YCAJE<url:20>  YCM<url:37>  y0_<url:40-60>
Yandex          t1.<url:60-200>.<url:86>
Zuplo           zpka_<hex:32-64>
Zoho            1000.<hex:32>.<hex:32>
"""

# The prefix may as well begin a name: what follows must look random.
_LIKELY = """
Algorand, GoCardless, Lob, Mollie  live_<url:30-43>  test_<url:30-43>
Bitbucket       ATBB<alnum:24-32>
Beamer          b_<b64:44>
Bitcoin         K<base58:51>  L<base58:51>  5<base58:50>
Braintrust, DeepSeek, Moonshot, OpenAI, Stability  sk-<url:20-160>
Cerebras        csk-<lower:48>
Chroma, Modal   ck-<alnum:32-48>  ak-<alnum:22>  as-<alnum:22>
ClickHouse      4b1d<alnum:38>
Close           api_<alnum:22>.<alnum:22>
Cohere          co_<alnum:36-40>
crates.io       cio<alnum:32>
DingTalk        SEC<hex:64>
ElevenLabs      sk_<hex:48>
Facebook, WhatsApp  EAA<alnum:100-220>
Firecrawl       fc-<hex:32>
Fireworks       fw_<alnum:22-24>  fw-<alnum:22-24>
Google          1//0<url:60-100>  AQ.<url:40-60>  GOOG<upper:20>
Hugging Face    hf_<letters:34>
Infracost       ico-<alnum:32>
LlamaIndex, Zhipu, Ollama  <hex:32>.<alnum:16-24>
Mailgun, Salesblink  key-<hex:32>
Mandrill        md-<url:22>
Nomic           nk-<url:43>
Notion, Lambda  secret_<alnum:40-60>
NuGet           oy2<lower:43>
Okta            00<url:40>
Render          rnd_<alnum:28-32>
Resend          re_<alnum:8>_<alnum:24>  re_<alnum:24-40>
Roboflow        rf_<alnum:20-24>
ClickUp, Klaviyo, Courier, Checkio  pk_<alnum:34-45>  pk_<digits:7-8>_<upper:32>  pk-<url:30-60>
Ngrok, Composio, Clerk, WorkOS  ak_<alnum:30-50>  sk_<alnum:30-60>
Stellar         S<base32:55>
Vault           s.<alnum:24>
Voyage          pa-<url:43>  al-<url:43>
Weblate         wlu_<alnum:32-40>
"""

_PART = re.compile(r"<(\w+)(?::(\d+)(?:-(\d+))?)?>")
UUID_LENGTHS = (8, 4, 4, 4, 12)


@dataclass(frozen=True, slots=True)
class Run:
    """So many characters of an alphabet, both bounds included."""

    alphabet: str
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class TokenFormat:
    """How one kind of token looks.

    Attributes:
        text: The format as the table writes it.
        parts: Literals and runs in their order.
        is_sure: Whether nothing but a token looks like this; of any other, what follows the
            prefix has to look random.
    """

    provider: str
    text: str
    parts: tuple[str | Run, ...]
    is_sure: bool

    @property
    def hint(self) -> str:
        """The longest literal: without it a text holds no such token."""
        return max((part for part in self.parts if isinstance(part, str)), key=len, default="")

    @property
    def shortest(self) -> int:
        """Characters of the shortest token."""
        return sum(len(part) if isinstance(part, str) else part.least for part in self.parts)


def parse_format(text: str) -> tuple[str | Run, ...]:
    """Read a format in the notation of the table."""
    parts: list[str | Run] = []
    position = 0
    for mark in _PART.finditer(text):
        if mark.start() > position:
            parts.append(text[position : mark.start()])
        position = mark.end()
        if mark[1] == "uuid":
            for number, length in enumerate(UUID_LENGTHS):
                parts += ["-"] if number else []
                parts.append(Run("hex", length, length))
        else:
            parts.append(Run(mark[1], int(mark[2]), int(mark[3] or mark[2])))
    if position < len(text):
        parts.append(text[position:])
    return tuple(parts)


def _read(table: str, *, is_sure: bool) -> list[TokenFormat]:
    formats: list[TokenFormat] = []
    for line in table.strip().splitlines():
        provider, *written = re.split(r"\s{2,}", line.strip())
        formats += [TokenFormat(provider, text, parse_format(text), is_sure) for text in written]
    return formats


TOKEN_FORMATS: tuple[TokenFormat, ...] = (
    *_read(_SURE, is_sure=True),
    *_read(_LIKELY, is_sure=False),
)
