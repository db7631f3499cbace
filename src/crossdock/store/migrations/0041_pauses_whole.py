"""The name of a paused platform is compared whole, so it needs no second index for its beginnings."""

from django.db import migrations

DROP = """
DO $$
DECLARE name text;
BEGIN
  FOR name IN SELECT indexname FROM pg_indexes
    WHERE schemaname = current_schema() AND tablename = 'store_platformpause' AND indexname ~ '_like$'
  LOOP
    EXECUTE format('DROP INDEX %I', name);
  END LOOP;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("store", "0040_platform_pause")]
    operations = [migrations.RunSQL(DROP, migrations.RunSQL.noop)]
