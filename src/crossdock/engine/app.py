"""The worker's Procrastinate app, beside Django's on the same database. Jobs are deferred by name through Django's
connection, in the transaction's wake.

Two apps, because a worker needs an asynchronous connection while its use-cases go on deferring synchronously.
"""

from procrastinate import App
from procrastinate.contrib.django.django_connector import DjangoConnector

app = App(connector=DjangoConnector())
