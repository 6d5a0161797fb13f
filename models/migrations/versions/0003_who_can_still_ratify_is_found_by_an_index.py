"""who can still ratify is found by an index

What is derived is not computed here: the worker looks again at every decision that adopted something, which fills the column.
"""

import sqlalchemy as sa
from alembic import op

import models.base

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None

LOOK_AGAIN = """
UPDATE scopes SET due_at = (SELECT closes_at FROM decisions WHERE decisions.scope_id = scopes.id)
WHERE id IN (SELECT scope_id FROM decisions WHERE outcome = 'adopted')
"""


def upgrade() -> None:
    with op.batch_alter_table('decisions', schema=None) as batch_op:
        batch_op.add_column(sa.Column('ratify_until', models.base.UtcDateTime(timezone=True), nullable=True))
        batch_op.drop_index(batch_op.f('ix_decisions_state'))
        batch_op.create_index('ix_decisions_state', ['state', 'closes_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_decisions_ratify_until'), ['ratify_until'], unique=False)
    op.execute(LOOK_AGAIN)


def downgrade() -> None:
    with op.batch_alter_table('decisions', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_decisions_ratify_until'))
        batch_op.drop_index('ix_decisions_state')
        batch_op.create_index(batch_op.f('ix_decisions_state'), ['state'], unique=False)
        batch_op.drop_column('ratify_until')
