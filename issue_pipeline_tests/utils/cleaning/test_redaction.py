"""What is hidden, what is left alone. All credentials here are invented."""

import pytest

from issue_pipeline.utils.cleaning.redaction import EMAIL_MARK, SECRET_MARK, redact

KEY_LINES = "MIIEpAIBAAKCAQEA+/7b1-Qz3\nk0fG9c8d7e6f5a4b3c2d1e0f==\n"


@pytest.mark.parametrize(
    "address",
    [
        "ann@example.org",
        "a.b+tag@mail.example.co.uk",
        "x" * 80 + "@example.org",
        "jörg@bücher.example",
        r"ann\@example.org",
        r"ann\_b\.c@example.org",
    ],
)
def test_an_email_address_is_hidden(address):
    assert redact(f"Write to {address}, please") == f"Write to {EMAIL_MARK}, please"


@pytest.mark.parametrize(
    "address",
    [
        "ann [at] example [dot] org",
        "ann[@]example.org",
        "ann AT example DOT org",
        "ann AT mail DOT example DOT com",
    ],
)
def test_a_spelt_out_email_address_is_hidden(address):
    assert redact(address) == EMAIL_MARK


@pytest.mark.parametrize(
    ("text", "clean"),
    [("<b>ann</b>@example.org", "<b>[email]</b>"), ("**ann**@example.org", "**[email]**")],
)
def test_an_email_address_half_of_which_is_emphasised_is_hidden(text, clean):
    assert redact(text) == clean


@pytest.mark.parametrize(
    "token",
    [
        "ghp_" + "a1B2" * 9,
        "github_pat_" + "a1B2_" * 8,
        "glpat-" + "a1B2c3D4" * 3,
        "sk-proj-" + "a1B2_c3-" * 5,
        "sk-ant-api03-" + "a1B2" * 10,
        "AKIA" + "A1B2" * 4,
        "AIza" + "a1B2c" * 7,
        "xoxb-" + "1234-abcd-" * 3,
        "hf_" + "aBcD" * 8,
        "sk_live_" + "a1B2" * 5,
        "dckr_pat_" + "a1B2" * 6,
        "tskey-auth-" + "a1B2" * 4,
        "ATATT3x" + "a1B2" * 6 + "=1A2B",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
        "123456789:AA" + "a1B2c-" * 6,
        "bot123456789:AA" + "a1B2c-" * 6,
    ],
)
def test_a_providers_token_is_hidden_without_any_name_beside_it(token):
    assert redact(f"I ran it with {token} and") == f"I ran it with {SECRET_MARK} and"


@pytest.mark.parametrize("kind", ["", "RSA ", "OPENSSH ", "ENCRYPTED "])
def test_a_private_key_block_is_hidden_whole(kind):
    block = f"-----BEGIN {kind}PRIVATE KEY-----\n{KEY_LINES}-----END {kind}PRIVATE KEY-----"
    assert redact(f"before\n{block}\nafter") == f"before\n{SECRET_MARK}\nafter"


def test_a_private_key_without_an_end_is_hidden_and_the_prose_after_it_is_not():
    text = "-----BEGIN PRIVATE KEY-----\nMIIEpAIBAAKCAQEA1234\n\nWhat now?"
    assert redact(text) == f"{SECRET_MARK}\n\nWhat now?"


@pytest.mark.parametrize("apart", ["<br>", "<p>", "\n> "])
def test_a_private_key_without_an_end_is_hidden_however_its_lines_are_parted(apart):
    lines = [
        "-----BEGIN PRIVATE KEY-----",
        "MIIEpAIBAAKCAQEA1234",
        "k0fG9c8d&#x2F;7e6f5a4b3c2d",
        "",
    ]
    assert redact(apart.join(lines) + "What now?") == f"{SECRET_MARK}{apart}What now?"


@pytest.mark.parametrize("user", ["ann:hunter2", ":hunter2", "ann:p@ss:w0rd"])
def test_a_password_in_a_url_is_hidden(user):
    assert redact(f"postgres://{user}@db.local/x") == f"postgres://{SECRET_MARK}@db.local/x"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("password: hunter2", "password: [secret]"),
        ("PASSWORD=swordfish", "PASSWORD=[secret]"),
        ('"api_key": "abcd1234efgh"', '"api_key": "[secret]"'),
        ("{'db_password': 'correct'}", "{'db_password': '[secret]'}"),
        ("AWS_SECRET_ACCESS_KEY=wJal7XUt/nFEMI+x", "AWS_SECRET_ACCESS_KEY=[secret]"),
        ("Server=x;Pwd=s3cret;Timeout=3", "Server=x;Pwd=[secret];Timeout=3"),
        ("/?access_token=abc123def456&page=2", "/?access_token=[secret]&page=2"),
        ("--password hunter2 --verbose", "--password [secret] --verbose"),
        ("curl -u ann:hunter2 x", "curl -u ann:[secret] x"),
        ("curl x \\\n -u ann:hunter2", "curl x \\\n -u ann:[secret]"),
        ("DB_PASS: s3cr3tvalue", "DB_PASS: [secret]"),
        ("pass: hunter22", "pass: [secret]"),
        ("pw: hunter22", "pw: [secret]"),
        ("Kennwort: hunter22", "Kennwort: [secret]"),
        ("passcode: 483920", "passcode: [secret]"),
        ("PIN: 4711", "PIN: [secret]"),
        ("**Password:** hunter22 fails", "**Password:** [secret] fails"),
        ("**Password**: hunter22 fails", "**Password**: [secret] fails"),
        ("`api_key`: abcd1234efgh", "`api_key`: [secret]"),
        ("Private key: L5jS9y2yF17KKQPs", "Private key: [secret]"),
        ("API key = abcd1234efgh", "API key = [secret]"),
        ("<password>hunter2</password>", "<password>[secret]</password>"),
        ("<api-key>abcd1234efgh</api-key>", "<api-key>[secret]</api-key>"),
        ('PASSWORD="right horse pile"', 'PASSWORD="[secret]"'),
        ("password=yourname99", "password=[secret]"),
        ("Cookie: session=abcd1234efgh; lang=en", "Cookie: session=[secret]; lang=en"),
        ("AZURE_STORAGE_KEY=a1B2c3D4a1B2c3D4a1B2==", "AZURE_STORAGE_KEY=[secret]"),
        ("apikey: abcdefabcdefabcdefabcdef", "apikey: [secret]"),
        ("TOKEN=abcdefghijklmnop", "TOKEN=[secret]"),
        ("AWS_SECRET_ACCESS_KEY a1B2c3D4/a1B2c3D4+a1B2", "AWS_SECRET_ACCESS_KEY [secret]"),
        ("contraseña: secreto12", "contraseña: [secret]"),
        ("пароль: qwerty12", "пароль: [secret]"),
        ("密码：abc12345", "密码：[secret]"),
        ("mot de passe: secret12", "mot de passe: [secret]"),
        ("/blob?sv=1&sig=a1B2c3D4e5F6a7B8%3D", "/blob?sv=1&sig=[secret]"),
    ],
)
def test_a_value_assigned_to_a_telling_name_is_hidden(text, clean):
    assert redact(text) == clean


@pytest.mark.parametrize(
    "header",
    [
        "Bearer abc123def456",
        "Bearer abcdefghijklmnop",
        "Basic dXNlcjpwYXNzd29yZA==",
        "token 0123456789abcdef",
        "abc123def456",
    ],
)
def test_an_authorization_header_is_hidden(header):
    assert header.split()[-1] not in redact(f"Authorization: {header}")


@pytest.mark.parametrize(
    "prose",
    [
        "Parse error, unexpected token: unexpected end of line",
        "token: expected an identifier",
        "Forgot password: please enter your mail",
        "Password: incorrect",
        "the key: keep it simple",
        "max_tokens=4096",
        "token = tokenizer.decode2(ids)",
        "api_key=os.environ['KEY1']",
        "password=${DB_PASSWORD}",
        "react@17.0.2 and @types/node@18.1.0",
        "the bearer of bad news",
        "sk-learn is slow",
        "http://localhost:8080/path@2x.png",
        "url = {https://dumps.example.org}\\n}\\n@ONLINE",
        "password: _passwordController.text,",
        "passwd=DB_PASSWORD",
        "open(member, pwd=pwd)",
        "git clone git@host.example:a/b",
        "docker run -u 1000:1000 x",
        "docker run -u root:root x",
        "docker run --user node:node x",
        "rsync -u here:there",
        "test@pytest.fixture",
        "x@property.setter",
        "edit foo@bar.py now",
        "bypass=true1",
        "the second pass: nothing",
        "sk-learn-contrib-abc1234567890",
        "Forgot password: link2 broken",
        "primary_key=user_id2",
        "commit 3f2a9c1b7d5e4f6a8b9c0d1e2f3a4b5c6d7e8f90",
        "id 123e4567-e89b-42d3-a456-426614174000",
        "pk_customer_address_2_primary_key_index",
        "PIN: 17 of the board",
        "http_pw: the wrapper",
        "the API key: please renew it",
        "<password>password</password>",
        "`token`: they raise an error",
        "look at the dot in the corner, or at the dot com boom",
        "a decorator (@) stands in front",
    ],
)
def test_prose_and_references_are_left_alone(prose):
    assert redact(prose) == prose


@pytest.mark.parametrize(
    "text",
    [
        "password=hunter2,rest token: abcd1234efgh a@b.example",
        "postgres://u:p@h:1/x@y",
        "Authorization: Bearer abc123def456",
        "Cookie: session=abcd1234efgh",
        "AWS_SECRET_ACCESS_KEY a1B2c3D4/a1B2c3D4+a1B2",
        "пароль: qwerty12",
        'PASSWORD="right horse pile"',
        "-----BEGIN PRIVATE KEY-----",
        "password=" + "x1" * 2000,
        '"token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"',
    ],
)
def test_redacting_twice_is_redacting_once(text):
    once = redact(text)
    assert redact(once) == once
