"""Sellers whose account was closed before sales could be suspended: nothing of theirs is sold either."""

from django.db import migrations

# Whose account was deleted has nothing listed. Sellers are few.
CLOSED = """
INSERT INTO store_suspension (seller_id, at, why, with_account)
SELECT s.id, now(), 'Your account is suspended.', true FROM store_seller s JOIN store_user u ON u.id = s.owner_id
WHERE NOT u.is_active AND u.email NOT LIKE 'erased-%@erased.invalid'
ON CONFLICT DO NOTHING;
UPDATE store_seller SET barred = 'suspended'
WHERE barred = '' AND id IN (SELECT seller_id FROM store_suspension);
"""


class Migration(migrations.Migration):
    dependencies = [("store", "0069_unsent_returns")]
    operations = [migrations.RunSQL(CLOSED, migrations.RunSQL.noop)]
