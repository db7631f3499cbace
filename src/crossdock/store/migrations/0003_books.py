"""The books guard themselves: a transfer balances per currency at commit, and entries, transfers and movements are never edited or deleted."""

from django.db import migrations

BALANCED = """
CREATE FUNCTION store_transfer_balances() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM store_entry WHERE transfer_id = NEW.transfer_id GROUP BY currency HAVING sum(amount_minor) <> 0) THEN
    RAISE EXCEPTION 'transfer % does not balance', NEW.transfer_id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER transfer_balances AFTER INSERT ON store_entry DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION store_transfer_balances();
"""
APPEND_ONLY = """
CREATE FUNCTION store_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON store_entry FOR EACH ROW EXECUTE FUNCTION store_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON store_transfer FOR EACH ROW EXECUTE FUNCTION store_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON store_movement FOR EACH ROW EXECUTE FUNCTION store_append_only();
"""
UNDO = """
DROP TRIGGER append_only ON store_movement; DROP TRIGGER append_only ON store_transfer; DROP TRIGGER append_only ON store_entry;
DROP FUNCTION store_append_only(); DROP TRIGGER transfer_balances ON store_entry; DROP FUNCTION store_transfer_balances();
"""


class Migration(migrations.Migration):
    dependencies = [("store", "0002_initial")]
    operations = [migrations.RunSQL(BALANCED + APPEND_ONLY, UNDO)]
