"""Where the audit log's chain begins and ends is kept in a row of its own, so that rows cut off either end are noticed,
and so is a log that is empty although it was not. Nobody empties the tables.
"""

from django.db import migrations, models

LINK = """
CREATE OR REPLACE FUNCTION store_audit_link() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  made store_auditlink;
BEGIN
  PERFORM pg_advisory_xact_lock(x'61756469'::int);
  SELECT last_no, last_hash INTO made.no, made.previous FROM store_auditends;
  IF NOT FOUND THEN
    SELECT no, hash INTO made.no, made.previous FROM store_auditlink ORDER BY no DESC LIMIT 1;
  END IF;
  made.no := coalesce(made.no, 0) + 1;
  made.entry_id := NEW.id;
  made.previous := coalesce(made.previous, '');
  made.hash := store_audit_hash(made.previous, NEW);
  INSERT INTO store_auditlink VALUES (made.*);
  INSERT INTO store_auditends (id, first_no, first_previous, last_no, last_hash)
  VALUES (1, made.no, made.previous, made.no, made.hash)
  ON CONFLICT (id) DO UPDATE SET last_no = made.no, last_hash = made.hash;
  RETURN NULL;
END $$;
"""
ENDS = """
INSERT INTO store_auditends (id, first_no, first_previous, last_no, last_hash)
SELECT 1, a.no, a.previous, z.no, z.hash
FROM (SELECT * FROM store_auditlink ORDER BY no LIMIT 1) a, (SELECT * FROM store_auditlink ORDER BY no DESC LIMIT 1) z;
CREATE FUNCTION store_audit_ends_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF NEW.id = OLD.id AND NEW.first_no = OLD.first_no AND NEW.first_previous = OLD.first_previous
      AND NEW.last_no = OLD.last_no + 1
      AND EXISTS (SELECT FROM store_auditlink WHERE no = NEW.last_no AND hash = NEW.last_hash
                  AND previous = OLD.last_hash) THEN
      RETURN NEW;
    END IF;
    IF NEW.id = OLD.id AND NEW.last_no = OLD.last_no AND NEW.last_hash = OLD.last_hash AND NEW.first_no > OLD.first_no
      AND NOT EXISTS (SELECT FROM store_auditlink WHERE no < NEW.first_no)
      AND EXISTS (SELECT FROM store_auditlink WHERE no = NEW.first_no AND previous = NEW.first_previous) THEN
      RETURN NEW;
    END IF;
  END IF;
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER audit_kept BEFORE UPDATE OR DELETE ON store_auditends
  FOR EACH ROW EXECUTE FUNCTION store_audit_ends_kept();
CREATE TRIGGER audit_emptied BEFORE TRUNCATE ON store_auditends EXECUTE FUNCTION store_audit_ends_kept();
CREATE TRIGGER audit_emptied BEFORE TRUNCATE ON store_auditlink EXECUTE FUNCTION store_audit_kept();
CREATE TRIGGER audit_emptied BEFORE TRUNCATE ON store_auditentry EXECUTE FUNCTION store_audit_kept();
"""
UNDO = """
DROP TRIGGER audit_emptied ON store_auditentry;
DROP TRIGGER audit_emptied ON store_auditlink;
DROP TRIGGER audit_emptied ON store_auditends;
DROP TRIGGER audit_kept ON store_auditends;
DROP FUNCTION store_audit_ends_kept();
"""
LINK_BEFORE = """
CREATE OR REPLACE FUNCTION store_audit_link() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  last store_auditlink;
BEGIN
  PERFORM pg_advisory_xact_lock(x'61756469'::int);
  SELECT * INTO last FROM store_auditlink ORDER BY no DESC LIMIT 1;
  INSERT INTO store_auditlink (no, entry_id, previous, hash)
  VALUES (coalesce(last.no, 0) + 1, NEW.id, coalesce(last.hash, ''), store_audit_hash(coalesce(last.hash, ''), NEW));
  RETURN NULL;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("store", "0038_lowest_price")]
    operations = [
        migrations.CreateModel(
            "AuditEnds",
            [
                ("id", models.SmallIntegerField(primary_key=True, serialize=False, default=1)),
                ("first_no", models.BigIntegerField()),
                ("first_previous", models.CharField(max_length=64)),
                ("last_no", models.BigIntegerField()),
                ("last_hash", models.CharField(max_length=64)),
            ],
            options={"constraints": [models.CheckConstraint(condition=models.Q(id=1), name="audit_ends_once")]},
        ),
        migrations.RunSQL(LINK, LINK_BEFORE),
        migrations.RunSQL(ENDS, UNDO),
    ]
