"""a decision can be about the charter"""

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('proposed_charters',
    sa.Column('scope_id', sa.Integer(), nullable=False),
    sa.Column('parameters', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['scope_id'], ['scopes.id'], name=op.f('fk_proposed_charters_scope_id')),
    sa.PrimaryKeyConstraint('scope_id', name=op.f('pk_proposed_charters'))
    )


def downgrade() -> None:
    op.drop_table('proposed_charters')
