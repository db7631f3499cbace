"""What the mask of the logs has to know, wherever text leaves the house; the secret is `geheim`."""

LOOK_SECRET = [
    "Authorization: Bearer geheim",
    "{'X-Acme-Access-Token': 'geheim'}",
    '{"consumer_secret": "geheim", "id": 7}',
    "password=geheim&next=/",
    "POST /token client_secret=geheim",
    "postgresql://user:geheim@host/name",
    "api_key: geheim",
]
