"""The name of a source of guesses is compared whole, so it needs no second index for its beginnings."""

from django.db import migrations

DROP = """
DO $$
DECLARE name text;
BEGIN
  FOR name IN SELECT indexname FROM pg_indexes
    WHERE schemaname = current_schema() AND tablename = 'store_signintry' AND indexname ~ '_like$'
  LOOP
    EXECUTE format('DROP INDEX %I', name);
  END LOOP;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("store", "0028_token_scopes")]
    operations = [migrations.RunSQL(DROP, migrations.RunSQL.noop)]
