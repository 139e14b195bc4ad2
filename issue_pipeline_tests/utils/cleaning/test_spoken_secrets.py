"""Passwords that a sentence, a command or a setting gives away. All of them are invented."""

import pytest

from issue_pipeline.utils.cleaning.redaction import SECRET_MARK, redact
from issue_pipeline.utils.text_cleaning import clean_title

HEX = "0123456789abcdef" * 2


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("I am logged in as admin / Winter2026! and it fails", "Winter2026"),
        ("login as admin/Winter2026!", "Winter2026"),
        ("credentials: demo:Demo123", "Demo123"),
        ("credentials are demo and password Demo123", "Demo123"),
        ("my password is hunter2", "hunter2"),
        ("the password for the admin is Winter2026!", "Winter2026"),
        ('Password is "Tr0ub4dor&3".', "Tr0ub4dor"),
        ("pw is hunter22", "hunter22"),
        ("the token is abcd1234efgh5678ijkl", "abcd1234"),
        (f"my api key is {HEX}", HEX),
        ("user: a pass: b", "pass: b"),
        ("username admin password admin123", "admin123"),
        ("login: ann, password: s3cr3t", "s3cr3t"),
        ("machine x.example login ann password s3cr3tpw", "s3cr3tpw"),
        ("root / Toor1234", "Toor1234"),
        ("admin:Admin123!", "Admin123"),
        ("seed phrase: " + "abandon ability able about above absent " * 2, "ability"),
    ],
)
def test_a_password_in_a_sentence_is_hidden_in_body_and_title(text: str, secret: str):
    assert secret not in redact(text)
    assert SECRET_MARK in redact(text)
    assert secret not in clean_title("github", text)


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"RAILS_MASTER_KEY={HEX}", HEX),
        ("APP_KEY=base64:Hk3sPq9LmN2vT7xY1zB4cD6eF8gH0jK2lM4nO6pQ8rS=", "Hk3sPq9L"),
        (f"secret_key_base: {HEX}{HEX}", HEX),
        ("TOKEN_PROD: abcd1234abcd1234", "abcd1234"),
        ("mysql -u root -phunter2 db", "hunter2"),
        ("sshpass -p hunter22 ssh x", "hunter22"),
        ("docker login -u ann -p hunter2 x", "hunter2"),
        ("redis-cli -a foobar22", "foobar22"),
        ("tool --api-key 0123456789abcdef0123", "0123456789"),
        ("tool --client-secret abcDEF1234567890", "abcDEF123"),
        ("docker run -e POSTGRES_PASSWORD=hunter22 x", "hunter22"),
        ('<add key="Password" value="hunter22" />', "hunter22"),
        ('{"name": "API_KEY", "value": "0a1b2c3d4e5f60718293"}', "0a1b2c3d"),
        ("- name: DB_PASSWORD\n  value: hunter22", "hunter22"),
        ("CREATE USER ann IDENTIFIED BY 'hunter22';", "hunter22"),
        ("define('DB_PASSWORD', 'hunter22');", "hunter22"),
        ('driver.setPassword("hunter22")', "hunter22"),
        ("PHPSESSID=k3j4h5k3j4h5k3j4h5k3j4h5", "k3j4h5"),
        ('masterKey = "0123456789abcdef01234567"', "0123456789"),
        ('\\"password\\": \\"hunter22\\"', "hunter22"),
        ("https://contoso.webhook.office.com/webhookb2/" + HEX + "@x/IncomingWebhook/" + HEX, HEX),
    ],
)
def test_a_value_is_hidden_in_every_notation(text: str, secret: str):
    assert secret not in redact(text)
    assert SECRET_MARK in redact(text)
    assert redact(redact(text)) == redact(text)


@pytest.mark.parametrize(
    "prose",
    [
        "the password is wrong",
        "the password is required and must have 8 characters",
        "password is sha256 hashed",
        "the token is base64 encoded",
        "username and password fields are empty",
        "user login / logout2 page",
        "The user/project2 repository",
        "http://www.example.org/user/RedReaper132",
        "log in with Google/GitHub",
        "you will have to pass trust_remote_code=True to it",
        "--password option is broken",
        "cache_key=3f2a9c1b7d5e4f6a8b9c0d1e2f3a4b5c6d7e8f90",
        "public key: 3f2a9c1b7d5e4f6a8b9c0d1e2f3a4b5c6d7e8f90",
        "using RSA key ED9BDF7AD6A55E232E84524257FF9BDBCC301009",
        "the second pass is 20x faster",
        "user: required pass: optional",
        "I set the password to null",
        "log in to github.com/user/repo2",
        '"method": "walletpassphrase", "params": [1]',
        "Session = LoadSessionFromSavedModel(options)",
        "docker run -v $PWD:/somedir x",
    ],
)
def test_prose_about_passwords_stays(prose: str):
    assert redact(prose) == prose
