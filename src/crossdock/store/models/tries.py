"""Guesses at passwords, counted where nothing else is kept and so nothing is thrown out to make room."""

from django.db import models


class SignInTry(models.Model):
    """One row for each source of guesses that is counted together (usecases/accounts/tries.py); its name is a hash."""

    bucket = models.CharField(max_length=64, unique=True)
    failures = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField()
    wait_until = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["last_at"], name="sign_in_try_age")]
