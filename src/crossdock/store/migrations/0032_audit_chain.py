"""The audit log guards itself: each row gets a link whose hash covers the row and the link before, at commit; rows and
links are never edited, and nothing goes before its years are over.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# The lock is taken when the transaction commits, so nobody waits for somebody else's work, only for its last
# milliseconds. What is hashed is JSON, in which no two rows look alike.
CHAIN = """
CREATE FUNCTION store_audit_said(e store_auditentry) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT jsonb_build_array(e.id, to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), e.actor_id,
                           e.person_id, e.topic, e.action, e.subject, e.detail)::text
$$;
CREATE FUNCTION store_audit_hash(previous text, e store_auditentry) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT encode(sha256(convert_to(previous || store_audit_said(e), 'UTF8')), 'hex')
$$;
CREATE FUNCTION store_audit_link() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  last store_auditlink;
BEGIN
  PERFORM pg_advisory_xact_lock(x'61756469'::int);
  SELECT * INTO last FROM store_auditlink ORDER BY no DESC LIMIT 1;
  INSERT INTO store_auditlink (no, entry_id, previous, hash)
  VALUES (coalesce(last.no, 0) + 1, NEW.id, coalesce(last.hash, ''), store_audit_hash(coalesce(last.hash, ''), NEW));
  RETURN NULL;
END $$;
CREATE FUNCTION store_audit_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND TG_TABLE_NAME = 'store_auditentry' THEN
    IF OLD.at < now() - interval '3 years' THEN RETURN OLD; END IF;
  ELSIF TG_OP = 'DELETE' THEN
    IF NOT EXISTS (SELECT 1 FROM store_auditentry WHERE id = OLD.entry_id) THEN RETURN OLD; END IF;
  END IF;
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'check_violation';
END $$;
DO $$
DECLARE
  e store_auditentry;
  last text := '';
  number bigint := 0;
BEGIN
  FOR e IN SELECT * FROM store_auditentry ORDER BY id LOOP
    number := number + 1;
    INSERT INTO store_auditlink (no, entry_id, previous, hash) VALUES (number, e.id, last, store_audit_hash(last, e))
    RETURNING hash INTO last;
  END LOOP;
END $$;
CREATE CONSTRAINT TRIGGER audit_link AFTER INSERT ON store_auditentry DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION store_audit_link();
CREATE TRIGGER audit_kept BEFORE UPDATE OR DELETE ON store_auditentry
  FOR EACH ROW EXECUTE FUNCTION store_audit_kept();
CREATE TRIGGER audit_kept BEFORE UPDATE OR DELETE ON store_auditlink
  FOR EACH ROW EXECUTE FUNCTION store_audit_kept();
"""
UNDO = """
DROP TRIGGER audit_kept ON store_auditlink;
DROP TRIGGER audit_kept ON store_auditentry;
DROP TRIGGER audit_link ON store_auditentry;
DELETE FROM store_auditlink;
-- An account that was erased since leaves a number that leads to nobody, which the constraint of before does not take.
UPDATE store_auditentry e SET actor_id = NULL
WHERE actor_id IS NOT NULL AND NOT EXISTS (SELECT FROM store_user u WHERE u.id = e.actor_id);
DROP FUNCTION store_audit_kept();
DROP FUNCTION store_audit_link();
DROP FUNCTION store_audit_hash(text, store_auditentry);
DROP FUNCTION store_audit_said(store_auditentry);
"""


def someone(name: str) -> models.ForeignKey:
    return models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=django.db.models.deletion.DO_NOTHING,
        db_constraint=False,
        related_name=name,
    )


class Migration(migrations.Migration):
    dependencies = [("store", "0031_below_zero")]
    operations = [
        migrations.AlterField("auditentry", "actor", someone("+")),
        migrations.AddField("auditentry", "person", someone("+")),
        migrations.AddField(
            "auditentry", "topic", models.CharField(max_length=12, default="staff", db_default="staff")
        ),
        migrations.AddIndex("auditentry", models.Index(fields=["topic", "-id"], name="audit_topic")),
        migrations.CreateModel(
            "AuditLink",
            [
                ("no", models.BigIntegerField(primary_key=True, serialize=False)),
                (
                    "entry",
                    models.OneToOneField(
                        to="store.auditentry",
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        db_constraint=False,
                        related_name="link",
                    ),
                ),
                ("previous", models.CharField(max_length=64)),
                ("hash", models.CharField(max_length=64)),
            ],
        ),
        migrations.RunSQL(CHAIN, UNDO),
    ]
