"""a decision can be about a member"""

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('removals',
    sa.Column('scope_id', sa.Integer(), nullable=False),
    sa.Column('member_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['scope_id'], ['scopes.id'], name=op.f('fk_removals_scope_id')),
    sa.ForeignKeyConstraint(['member_id'], ['members.id'], name=op.f('fk_removals_member_id')),
    sa.PrimaryKeyConstraint('scope_id', name=op.f('pk_removals'))
    )
    with op.batch_alter_table('removals', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_removals_member_id'), ['member_id'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('removals', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_removals_member_id'))

    op.drop_table('removals')
