"""Create all tables of deskgraph.

It takes the place of the revisions 0001 to 0019 and keeps the id of the last one, so a database
that stands there is current. Columns have the order in which those revisions added them: a dump of
such a database and a dump of a new one are the same.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019"
down_revision = None

TIME = sa.DateTime(timezone=True)
NOW = sa.text("now()")
USD = sa.Numeric(18, 9)
JSON = postgresql.JSONB()
TEXTS = postgresql.ARRAY(sa.Text())
PENDING = sa.text("status = 'pending'")
RUNNING = sa.text("status = 'running'")


def upgrade() -> None:
    """Create the tables, each subject after those that it refers to."""
    create_tenants()
    create_runs()
    create_steps_and_workers()
    create_conversations()
    create_approvals_and_ledger()
    create_mailings()
    create_knowledge()
    create_webhooks()
    create_sandbox()
    create_helpdesk()
    create_events()


def downgrade() -> None:
    """Drop everything; indexes, sequences and triggers go with their tables."""
    # Made by `deskgraph migrate` where the server has pgvector; its rows refer to chunks.
    op.execute("DROP TABLE IF EXISTS article_embeddings")
    for table in (
        "events handoffs agents sandbox_mails sandbox_cancellations sandbox_subscriptions "
        "sandbox_refunds sandbox_payments webhook_secrets disabled_urls callbacks answers "
        "article_terms article_chunks articles mail_recipients contacts ledger decisions approvals "
        "erasures pseudonym_salts thread_summaries messages workers steps runs "
        "pauses rates model_spend policies api_keys tenants"
    ).split():
        op.drop_table(table)
    for subject in ("run", "step", "approval", "effect"):
        op.execute(f"DROP FUNCTION deskgraph_note_{subject}()")


def create_tenants() -> None:
    """Tenants, their keys and policies, what models cost them, their rates and pauses."""
    op.create_table(
        "tenants",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, server_default=NOW, nullable=False),
        sa.Column("kb_version", sa.BigInteger(), server_default="0", nullable=False),
        # In `pauses` this id stands for all tenants.
        sa.CheckConstraint("id <> '*'", name="tenants_not_everyone"),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("tenant_id", sa.Text(), sa.ForeignKey("tenants.id"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("secret_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", TEXTS, nullable=False),
        sa.Column("approve_limits", JSON, nullable=True),
        sa.Column("created_at", TIME, server_default=NOW, nullable=False),
        sa.Column("revoked_at", TIME, nullable=True),
        sa.Index("ix_api_keys_tenant_id", "tenant_id"),
    )
    op.create_table(
        "policies",
        sa.Column("tenant_id", sa.Text(), sa.ForeignKey("tenants.id"), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("body", JSON, nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, server_default=NOW, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "version"),
    )
    # What models cost a tenant by UTC day, in millionths of a US dollar.
    op.create_table(
        "model_spend",
        sa.Column("tenant_id", sa.Text(), sa.ForeignKey("tenants.id"), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("micro_usd", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("held_micro_usd", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("calls", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "micro_usd >= 0 AND held_micro_usd >= 0 AND calls >= 0 AND tokens >= 0",
            name="model_spend_not_negative",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "day"),
    )
    # GCRA: the theoretical arrival time of the next run, of one customer or of the whole tenant.
    op.create_table(
        "rates",
        sa.Column("tenant_id", sa.Text(), sa.ForeignKey("tenants.id"), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("tat", TIME, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "scope"),
    )
    # No foreign key: the row of all tenants belongs to none of them.
    op.create_table(
        "pauses",
        sa.Column("tenant_id", sa.Text(), primary_key=True),
        sa.Column("paused_at", TIME, server_default=NOW, nullable=False),
        sa.Column("paused_by", sa.Text(), nullable=False),
    )


def create_runs() -> None:
    """Runs: one customer message each, from the request to the reply."""
    op.create_table(
        "runs",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("tenant_id", sa.Text(), sa.ForeignKey("tenants.id"), nullable=False),
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("ticket_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("ticket", JSON, nullable=False),
        sa.Column("status", sa.Text(), server_default="pending", nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("summary", JSON, server_default="{}", nullable=False),
        sa.Column("error", JSON, nullable=True),
        sa.Column("attempt", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("losses", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("worker_id", sa.BigInteger(), nullable=True),
        sa.Column("cancel_requested_at", TIME, nullable=True),
        sa.Column("policy_version", sa.BigInteger(), nullable=False),
        sa.Column("started_by", sa.Text(), sa.ForeignKey("api_keys.id"), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("request_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("metadata", JSON, server_default="{}", nullable=False),
        sa.Column("trace_id", sa.Uuid(), nullable=True),
        sa.Column("replay_of", sa.Uuid(), nullable=True),
        sa.Column("tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cost_usd", USD, server_default="0", nullable=True),
        sa.Column("created_at", TIME, server_default=NOW, nullable=False),
        sa.Column("not_before", TIME, server_default=NOW, nullable=False),
        sa.Column("queued_at", TIME, server_default=NOW, nullable=False),
        sa.Column("started_at", TIME, nullable=True),
        sa.Column("finished_at", TIME, nullable=True),
        sa.Column("limited_by", sa.Text(), nullable=True),
        sa.Column("merged_into", sa.Uuid(), sa.ForeignKey("runs.id"), nullable=True),
        sa.Column("callback_url", sa.Text(), nullable=True),
        sa.Column("replay_from", JSON, nullable=True),
        sa.Column("dry_run", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("graph_version", sa.Text(), nullable=True),
        sa.Column("checkpoints_pruned_at", TIME, nullable=True),
        sa.CheckConstraint(
            "status IN ('pending','running','interrupted','success','error','timeout','cancelled')",
            name="runs_status_known",
        ),
        sa.CheckConstraint(
            "(finished_at IS NOT NULL) = (status IN ('success','error','timeout','cancelled'))",
            name="runs_finished_when_final",
        ),
        sa.CheckConstraint(
            "merged_into IS NULL OR status = 'cancelled'", name="runs_merged_is_cancelled"
        ),
        sa.UniqueConstraint("seq"),
        # A run that began holds its thread until it is final, through pauses and lost workers: a
        # second one would drop the open gate. See docs/adr/0002.
        sa.Index(
            "runs_one_live_per_thread",
            "thread_id",
            unique=True,
            postgresql_where=sa.text("started_at IS NOT NULL AND finished_at IS NULL"),
        ),
        sa.Index(
            "runs_idempotency",
            "tenant_id",
            "idempotency_key",
            unique=True,
            postgresql_where=sa.text("idempotency_key IS NOT NULL"),
        ),
        # The queue asks for live runs only, so these do not grow with the runs that are finished.
        sa.Index("runs_due", "queued_at", postgresql_where=PENDING),
        sa.Index(
            "runs_pending_by_tenant", "tenant_id", "not_before", "seq", postgresql_where=PENDING
        ),
        sa.Index(
            "runs_pending_by_customer",
            "tenant_id",
            "customer_id",
            "not_before",
            "seq",
            postgresql_where=PENDING,
        ),
        sa.Index("runs_running_by_customer", "tenant_id", "customer_id", postgresql_where=RUNNING),
        sa.Index("runs_running_by_worker", "worker_id", postgresql_where=RUNNING),
        sa.Index(
            "runs_open_by_thread",
            "thread_id",
            "seq",
            postgresql_where=sa.text("finished_at IS NULL"),
        ),
        sa.Index("runs_by_tenant", "tenant_id", "id"),
        sa.Index("runs_by_ticket", "tenant_id", "ticket_id", "id"),
        sa.Index("runs_by_customer", "tenant_id", "customer_id", "id"),
        # Keeps a long ticket fast.
        sa.Index("runs_by_thread", "thread_id", "seq"),
        sa.Index("runs_merged", "merged_into", postgresql_where=sa.text("merged_into IS NOT NULL")),
        # Retention reads finished runs whose checkpoints are still there, and no others.
        sa.Index(
            "runs_to_prune",
            "tenant_id",
            "finished_at",
            postgresql_where=sa.text("checkpoints_pruned_at IS NULL AND finished_at IS NOT NULL"),
        ),
    )


def create_steps_and_workers() -> None:
    """Steps of runs, and the leases of workers."""
    # One node execution a row; `task_id` is LangGraph's.
    op.create_table(
        "steps",
        sa.Column("run_id", sa.Uuid(), sa.ForeignKey("runs.id"), nullable=False),
        sa.Column("attempt", sa.BigInteger(), nullable=False),
        sa.Column("task_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("tenant_id", sa.Text(), sa.ForeignKey("tenants.id"), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), server_default="1", nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("checkpoint_id", sa.Text(), nullable=True),
        sa.Column("input", JSON, nullable=True),
        sa.Column("output", JSON, nullable=True),
        sa.Column("error", JSON, nullable=True),
        sa.Column("model_calls", JSON, server_default="[]", nullable=False),
        sa.Column("tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cost_usd", USD, server_default="0", nullable=True),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("run_id", "attempt", "task_id"),
        sa.Index("steps_by_run", "tenant_id", "run_id", "seq"),
        # Retention finds steps by their age.
        sa.Index("steps_by_age", "tenant_id", "started_at"),
    )
    # When each worker process last renewed its lease. Its id is that of its advisory lock.
    op.create_table(
        "workers",
        sa.Column("id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("beat_at", TIME, server_default=NOW, nullable=False),
    )


def create_conversations() -> None:
    """Messages and summaries of tickets, and what stays of an erased customer."""
    op.create_table(
        "messages",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        sa.Column("tenant_id", sa.Text(), sa.ForeignKey("tenants.id"), nullable=False),
        sa.Column("ticket_id", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Uuid(), sa.ForeignKey("runs.id"), nullable=True),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("citations", TEXTS, server_default="{}", nullable=False),
        sa.Column("public", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("created_at", TIME, server_default=NOW, nullable=False),
        sa.CheckConstraint("author IN ('customer','deskgraph')", name="messages_author_known"),
        # The business key makes a repeated reply the first one.
        sa.UniqueConstraint("tenant_id", "key"),
        sa.Index("messages_by_ticket", "tenant_id", "ticket_id", "id"),
        # Keeps a long ticket fast.
        sa.Index("messages_by_run", "run_id"),
    )
    # `upto_seq` is the `seq` of the last run in the summary. `claim` belongs to the worker that
    # refreshes it, until `claimed_until`.
    op.create_table(
        "thread_summaries",
        sa.Column("tenant_id", sa.Text(), sa.ForeignKey("tenants.id"), nullable=False),
        sa.Column("ticket_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("upto_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("text", sa.Text(), server_default="", nullable=False),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cost_usd", USD, server_default="0", nullable=True),
        sa.Column("claim", sa.Uuid(), nullable=True),
        sa.Column("claimed_until", TIME, nullable=True),
        sa.Column("updated_at", TIME, server_default=NOW, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "ticket_id", "customer_id"),
    )
    # The secret that turns a tenant's customer ids into pseudonyms. See docs/adr/0012.
    op.create_table(
        "pseudonym_salts",
        sa.Column("tenant_id", sa.Text(), sa.ForeignKey("tenants.id"), primary_key=True),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", TIME, server_default=NOW, nullable=False),
    )
    op.create_table(
        "erasures",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("tenant_id", sa.Text(), sa.ForeignKey("tenants.id"), nullable=False),
        sa.Column("pseudonym", sa.Text(), nullable=False),
        sa.Column("erased_by", sa.Text(), nullable=False),
        sa.Column("counts", JSON, nullable=False),
        sa.Column("created_at", TIME, server_default=NOW, nullable=False),
        sa.Index("erasures_by_tenant", "tenant_id", "id"),
    )


def create_approvals_and_ledger() -> None:
    """What people are asked and what they decide, and what was done."""
    op.create_table(
        "approvals",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("tenant_id", sa.Text(), sa.ForeignKey("tenants.id"), nullable=False),
        sa.Column("run_id", sa.Uuid(), sa.ForeignKey("runs.id"), nullable=False),
        sa.Column("ticket_id", sa.Text(), nullable=False),
        sa.Column("interrupt_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="pending", nullable=False),
        sa.Column("steps", JSON, nullable=False),
        sa.Column("gate", JSON, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("verdicts", TEXTS, nullable=False),
        sa.Column("required_approvers", sa.SmallInteger(), server_default="1", nullable=False),
        sa.Column("decision", JSON, nullable=True),
        sa.Column("created_at", TIME, server_default=NOW, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("decided_at", TIME, nullable=True),
        sa.Column("changed", JSON, server_default="[]", nullable=False),
        sa.Column("round", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("answers", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("reminded_at", TIME, nullable=True),
        sa.Column("remind_at", TIME, nullable=True),
        sa.CheckConstraint(
            "(decision IS NULL) = (status IN ('pending','cancelled'))",
            name="approvals_decided_with_decision",
        ),
        sa.UniqueConstraint("run_id", "interrupt_id"),
        sa.Index("approvals_by_status", "tenant_id", "status", "id"),
        # Expiry and reminders read only the approvals that are open and due.
        sa.Index("approvals_expiring", "expires_at", postgresql_where=PENDING),
        sa.Index(
            "approvals_reminding",
            "remind_at",
            postgresql_where=sa.text("status = 'pending' AND reminded_at IS NULL"),
        ),
    )
    # `shown_digest` is of the steps that the approver saw, `digest` of the steps that they left.
    op.create_table(
        "decisions",
        sa.Column("approval_id", sa.Uuid(), sa.ForeignKey("approvals.id"), nullable=False),
        sa.Column("key_id", sa.Text(), sa.ForeignKey("api_keys.id"), nullable=False),
        sa.Column("tenant_id", sa.Text(), sa.ForeignKey("tenants.id"), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, server_default=NOW, nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("shown_digest", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("approval_id", "number"),
    )
    # One effect a row by business key: `started` before the call, its end after the call.
    op.create_table(
        "ledger",
        sa.Column("tenant_id", sa.Text(), sa.ForeignKey("tenants.id"), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Uuid(), sa.ForeignKey("runs.id"), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("tool", sa.Text(), nullable=False),
        sa.Column("step_id", sa.Text(), nullable=True),
        sa.Column("approval_id", sa.Uuid(), sa.ForeignKey("approvals.id"), nullable=True),
        sa.Column("args", JSON, nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("result", JSON, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("started_at", TIME, server_default=NOW, nullable=False),
        sa.Column("finished_at", TIME, nullable=True),
        sa.Column("progress", JSON, nullable=True),
        sa.CheckConstraint("status IN ('started','done','failed')", name="ledger_status_known"),
        sa.CheckConstraint(
            "(result IS NOT NULL) = (status = 'done')", name="ledger_done_has_result"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "key"),
        sa.Index("ix_ledger_run_id", "run_id"),
        sa.Index("ledger_by_customer", "tenant_id", "customer_id", "started_at"),
    )


def create_mailings() -> None:
    """Contacts, and the fixed list of recipients of each mailing."""
    op.create_table(
        "contacts",
        sa.Column("tenant_id", sa.Text(), sa.ForeignKey("tenants.id"), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("segments", TEXTS, nullable=False),
        sa.Column("unsubscribed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("changed_at", TIME, server_default=NOW, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
        sa.Index("contacts_by_segment", "segments", postgresql_using="gin"),
    )
    op.create_table(
        "mail_recipients",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("contact_id", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Uuid(), sa.ForeignKey("runs.id"), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("tries", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("due_at", TIME, server_default=NOW, nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("changed_at", TIME, server_default=NOW, nullable=False),
        sa.CheckConstraint(
            "status IN ('waiting','started','sent','failed','unknown','skipped')",
            name="mail_recipients_status_known",
        ),
        sa.ForeignKeyConstraint(["tenant_id", "key"], ["ledger.tenant_id", "ledger.key"]),
        sa.PrimaryKeyConstraint("tenant_id", "key", "contact_id"),
        # The next recipient is found without reading those that already have their mail.
        sa.Index(
            "mail_recipients_waiting",
            "tenant_id",
            "key",
            "due_at",
            "contact_id",
            postgresql_where=sa.text("status = 'waiting'"),
        ),
        # Finds a contact in the lists of mailings without reading them.
        sa.Index("mail_recipients_by_contact", "tenant_id", "contact_id"),
    )


def create_knowledge() -> None:
    """Articles, the index of their words, and the answer cache.

    The vectors of chunks stand in `article_embeddings`, which not every server can have; so
    `deskgraph migrate` creates it where the server has pgvector.
    """
    op.create_table(
        "articles",
        sa.Column("tenant_id", sa.Text(), sa.ForeignKey("tenants.id"), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("updated_at", TIME, server_default=NOW, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )
    # Until `embed_not_before` a worker has the chunk at the embedding server, or that server has
    # failed and is not asked. `embedded_with` is the model of the chunk's vector.
    op.create_table(
        "article_chunks",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("article_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("config", postgresql.REGCONFIG(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("embed_not_before", TIME, nullable=True),
        sa.Column("embedded_with", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "article_id"], ["articles.tenant_id", "articles.id"], ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "article_id", "position"),
        sa.UniqueConstraint("id"),
        sa.Index("article_chunks_by_config", "tenant_id", "config"),
        # Finds chunks without a vector of the model in use, and reads none when all have one.
        sa.Index("article_chunks_embedded", "embedded_with", "id"),
    )
    # The words of chunks with their BM25 weight, in a table of their own, so that a search knows
    # how rare each word is.
    op.create_table(
        "article_terms",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("term", sa.Text(), nullable=False),
        sa.Column("chunk_id", sa.BigInteger(), nullable=False),
        sa.Column("weight", sa.REAL(), nullable=False),
        sa.ForeignKeyConstraint(["chunk_id"], ["article_chunks.id"], ondelete="CASCADE"),
        # With the weight in it a search reads the index alone.
        sa.PrimaryKeyConstraint("tenant_id", "term", "chunk_id", postgresql_include=["weight"]),
        sa.Index("ix_article_terms_chunk_id", "chunk_id"),
    )
    # The key holds all that a reply depends on, so a change of any of it is a miss.
    op.create_table(
        "answers",
        sa.Column("tenant_id", sa.Text(), sa.ForeignKey("tenants.id"), nullable=False),
        sa.Column("question_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("kb_version", sa.BigInteger(), nullable=False),
        sa.Column("policy_version", sa.BigInteger(), nullable=False),
        sa.Column("answer", JSON, nullable=False),
        sa.Column("customers", postgresql.ARRAY(postgresql.BYTEA()), nullable=False),
        sa.Column("updated_at", TIME, server_default=NOW, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.CheckConstraint("cardinality(customers) BETWEEN 1 AND 2", name="answers_have_customers"),
        sa.PrimaryKeyConstraint(
            "tenant_id", "question_sha256", "language", "kb_version", "policy_version"
        ),
        sa.Index("answers_expiring", "expires_at"),
    )


def create_webhooks() -> None:
    """The outbox of callbacks, the URLs that want no more, and the secrets that sign."""
    op.create_table(
        "callbacks",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("tenant_id", sa.Text(), sa.ForeignKey("tenants.id"), nullable=False),
        sa.Column("run_id", sa.Uuid(), sa.ForeignKey("runs.id"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="pending", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_at", TIME, server_default=NOW, nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("created_at", TIME, server_default=NOW, nullable=False),
        sa.Column("delivered_at", TIME, nullable=True),
        sa.CheckConstraint(
            "status IN ('pending','delivered','dead','disabled')", name="callbacks_status_known"
        ),
        sa.CheckConstraint(
            "(delivered_at IS NOT NULL) = (status = 'delivered')",
            name="callbacks_delivered_with_time",
        ),
        sa.UniqueConstraint("run_id", "number"),
        sa.Index("callbacks_by_tenant", "tenant_id", "id"),
        # The dispatcher reads pending callbacks only.
        sa.Index("callbacks_due", "next_at", postgresql_where=PENDING),
        # A list of callbacks that were not delivered reads none of the delivered ones.
        sa.Index(
            "callbacks_undelivered",
            "tenant_id",
            "status",
            "id",
            postgresql_where=sa.text("status <> 'delivered'"),
        ),
        # Retention finds callbacks that have ended by their age.
        sa.Index(
            "callbacks_ended",
            "tenant_id",
            "next_at",
            postgresql_where=sa.text("status <> 'pending'"),
        ),
    )
    # URLs that answered 410 Gone.
    op.create_table(
        "disabled_urls",
        sa.Column("tenant_id", sa.Text(), sa.ForeignKey("tenants.id"), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("disabled_at", TIME, server_default=NOW, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "url"),
    )
    op.create_table(
        "webhook_secrets",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("tenant_id", sa.Text(), sa.ForeignKey("tenants.id"), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, server_default=NOW, nullable=False),
        sa.Column("shown_at", TIME, nullable=True),
        sa.Column("expires_at", TIME, nullable=True),
        sa.Index("webhook_secrets_by_tenant", "tenant_id", "id"),
        # One secret of a tenant does not expire; older ones sign beside it until they do.
        sa.Index(
            "webhook_secrets_one_live",
            "tenant_id",
            unique=True,
            postgresql_where=sa.text("expires_at IS NULL"),
        ),
    )


def create_sandbox() -> None:
    """A payment provider and a mail server, for use without real ones."""
    op.create_table(
        "sandbox_payments",
        sa.Column("tenant_id", sa.Text(), sa.ForeignKey("tenants.id"), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("refunded_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("captured_at", TIME, nullable=False),
        sa.CheckConstraint(
            "refunded_minor BETWEEN 0 AND amount_minor", name="sandbox_refunds_within_captured"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
        sa.Index("sandbox_payments_by_customer", "tenant_id", "customer_id"),
    )
    op.create_table(
        "sandbox_refunds",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("payment_id", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, server_default=NOW, nullable=False),
        sa.CheckConstraint("amount_minor > 0", name="sandbox_refund_positive"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "payment_id"], ["sandbox_payments.tenant_id", "sandbox_payments.id"]
        ),
        sa.PrimaryKeyConstraint("tenant_id", "idempotency_key"),
    )
    op.create_table(
        "sandbox_subscriptions",
        sa.Column("tenant_id", sa.Text(), sa.ForeignKey("tenants.id"), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="active", nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("renews_at", TIME, nullable=True),
        sa.CheckConstraint(
            "status IN ('active','cancelled')", name="sandbox_subscription_status_known"
        ),
        sa.CheckConstraint(
            "(renews_at IS NOT NULL) = (status = 'active')", name="sandbox_active_renews"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
        sa.Index("sandbox_subscriptions_by_customer", "tenant_id", "customer_id"),
    )
    op.create_table(
        "sandbox_cancellations",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("subscription_id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, server_default=NOW, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "subscription_id"],
            ["sandbox_subscriptions.tenant_id", "sandbox_subscriptions.id"],
        ),
        sa.PrimaryKeyConstraint("tenant_id", "idempotency_key"),
        sa.UniqueConstraint("tenant_id", "subscription_id"),
    )
    op.create_table(
        "sandbox_mails",
        sa.Column("tenant_id", sa.Text(), sa.ForeignKey("tenants.id"), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, server_default=NOW, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "key"),
    )


def create_helpdesk() -> None:
    """A helpdesk of our own: people who take hand-offs, and the hand-offs."""
    op.create_table(
        "agents",
        sa.Column("tenant_id", sa.Text(), sa.ForeignKey("tenants.id"), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("skills", TEXTS, nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("opens_hour", sa.SmallInteger(), nullable=False),
        sa.Column("closes_hour", sa.SmallInteger(), nullable=False),
        sa.Column("weekdays", JSON, nullable=False),
        sa.Column("away", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("max_load", sa.SmallInteger(), server_default="20", nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )
    op.create_table(
        "handoffs",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("tenant_id", sa.Text(), sa.ForeignKey("tenants.id"), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("ticket_id", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=True),
        sa.Column("skill", sa.Text(), nullable=False),
        sa.Column("urgency", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="open", nullable=False),
        sa.Column("created_at", TIME, server_default=NOW, nullable=False),
        sa.Column("closed_at", TIME, nullable=True),
        sa.CheckConstraint("status IN ('open','closed')", name="handoffs_status_known"),
        sa.UniqueConstraint("tenant_id", "key"),
        sa.Index("handoffs_by_ticket", "tenant_id", "ticket_id", "id"),
        # The load of a person counts open hand-offs only.
        sa.Index(
            "handoffs_open", "tenant_id", "agent_id", postgresql_where=sa.text("status = 'open'")
        ),
        # The queue of each skill is read without those of the others.
        sa.Index(
            "handoffs_queued",
            "tenant_id",
            "skill",
            "id",
            postgresql_where=sa.text("status = 'open' AND agent_id IS NULL"),
        ),
    )


def create_events() -> None:
    """The log of what happens to runs, and the triggers that write it."""
    # The key is the order in which events are read. See docs/adr/0014.
    op.create_table(
        "events",
        sa.Column(
            "txid",
            sa.BigInteger(),
            server_default=sa.text("(pg_current_xact_id()::text)::bigint"),
            nullable=False,
        ),
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("data", JSON, nullable=False),
        sa.Column("created_at", TIME, server_default=NOW, nullable=False),
        sa.PrimaryKeyConstraint("txid", "seq"),
        sa.Index("events_by_tenant", "tenant_id", "txid", "seq"),
        sa.Index("events_by_run", "tenant_id", "run_id", "txid", "seq"),
    )
    for triggers in (RUN_TRIGGERS, STEP_TRIGGERS, APPROVAL_TRIGGERS, EFFECT_TRIGGERS):
        op.execute(triggers)


# Each event is written with the change that it describes: no code that changes a row can forget it,
# and it costs no statement. See docs/adr/0014.
RUN_TRIGGERS = """
CREATE FUNCTION deskgraph_note_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO events (tenant_id, run_id, type, data) VALUES (
    NEW.tenant_id, NEW.id,
    CASE
      WHEN TG_OP = 'INSERT' THEN 'run.created'
      WHEN NEW.status = OLD.status THEN 'run.cancel_requested'
      WHEN NEW.merged_into IS NOT NULL THEN 'run.merged'
      WHEN NEW.finished_at IS NOT NULL THEN 'run.finished'
      WHEN NEW.status = 'running' THEN 'run.started'
      WHEN NEW.status = 'interrupted' THEN 'run.interrupted'
      WHEN OLD.status = 'interrupted' THEN 'run.resumed'
      ELSE 'run.requeued'
    END,
    jsonb_strip_nulls(jsonb_build_object(
      'status', NEW.status, 'ticket_id', NEW.ticket_id,
      'attempt', NEW.attempt, 'outcome', NEW.outcome, 'error', NEW.error ->> 'type',
      'merged_into', NEW.merged_into, 'replay_of', NEW.replay_of)));
  RETURN NULL;
END $$;
CREATE TRIGGER events_run_created AFTER INSERT ON runs
  FOR EACH ROW EXECUTE FUNCTION deskgraph_note_run();
CREATE TRIGGER events_run_changed AFTER UPDATE OF status, cancel_requested_at ON runs
  FOR EACH ROW WHEN (OLD.status <> NEW.status
    OR OLD.cancel_requested_at IS NULL AND NEW.cancel_requested_at IS NOT NULL)
  EXECUTE FUNCTION deskgraph_note_run();
"""
# A step that is closed because its run has ended adds nothing to the end of the run.
STEP_TRIGGERS = """
CREATE FUNCTION deskgraph_note_step() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO events (tenant_id, run_id, type, data)
  SELECT NEW.tenant_id, NEW.run_id, 'step.finished', jsonb_strip_nulls(jsonb_build_object(
      'node', NEW.node, 'status', NEW.status, 'attempt', NEW.attempt, 'tries', NEW.tries,
      'duration_ms', NEW.duration_ms, 'error', NEW.error ->> 'type'))
    FROM runs WHERE id = NEW.run_id AND finished_at IS NULL;
  RETURN NULL;
END $$;
CREATE TRIGGER events_step_created AFTER INSERT ON steps
  FOR EACH ROW WHEN (NEW.status <> 'running') EXECUTE FUNCTION deskgraph_note_step();
CREATE TRIGGER events_step_changed AFTER UPDATE OF status ON steps
  FOR EACH ROW WHEN (OLD.status <> NEW.status AND NEW.status <> 'running')
  EXECUTE FUNCTION deskgraph_note_step();
"""
APPROVAL_TRIGGERS = """
CREATE FUNCTION deskgraph_note_approval() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO events (tenant_id, run_id, type, data) VALUES (
    NEW.tenant_id, NEW.run_id,
    CASE
      WHEN TG_OP = 'INSERT' THEN 'approval.opened'
      WHEN NEW.status = 'pending' THEN 'approval.answered'
      ELSE 'approval.decided'
    END,
    jsonb_strip_nulls(jsonb_build_object(
      'approval_id', NEW.id, 'kind', NEW.kind, 'status', NEW.status,
      'required_approvers', NEW.required_approvers, 'answers', NEW.answers,
      'expires_at', NEW.expires_at, 'decided_by', NEW.decision ->> 'decided_by')));
  RETURN NULL;
END $$;
CREATE TRIGGER events_approval_opened AFTER INSERT ON approvals
  FOR EACH ROW EXECUTE FUNCTION deskgraph_note_approval();
CREATE TRIGGER events_approval_changed AFTER UPDATE OF status, answers ON approvals
  FOR EACH ROW WHEN (NEW.status <> 'cancelled'
    AND (OLD.status <> NEW.status OR OLD.answers <> NEW.answers))
  EXECUTE FUNCTION deskgraph_note_approval();
"""
EFFECT_TRIGGERS = """
CREATE FUNCTION deskgraph_note_effect() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO events (tenant_id, run_id, type, data) VALUES (
    NEW.tenant_id, NEW.run_id,
    CASE
      WHEN NEW.status = 'failed' THEN 'effect.failed'
      WHEN NEW.tool = 'send_reply' THEN 'reply.sent'
      ELSE 'effect.done'
    END,
    jsonb_strip_nulls(jsonb_build_object(
      'tool', NEW.tool, 'key', NEW.key, 'step_id', NEW.step_id,
      'amount_minor', NEW.amount_minor, 'currency', NEW.currency)));
  RETURN NULL;
END $$;
CREATE TRIGGER events_effect_ended AFTER UPDATE OF status ON ledger
  FOR EACH ROW WHEN (OLD.status = 'started' AND NEW.status <> 'started')
  EXECUTE FUNCTION deskgraph_note_effect();
"""
