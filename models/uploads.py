"""Images that members uploaded. The bytes are ours: decoded, stripped and written anew; never what was sent."""

from datetime import datetime

from sqlalchemy import ForeignKey, Integer, LargeBinary, String, Text, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class Upload(Base):
    __tablename__ = "uploads"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)  # random; its address is /media/<name>
    media_type: Mapped[str] = mapped_column(String(32))
    body: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    width: Mapped[int] = mapped_column(Integer)
    height: Mapped[int] = mapped_column(Integer)
    alt: Mapped[str] = mapped_column(Text)
    post_id: Mapped[int | None] = mapped_column(ForeignKey("posts.id"), index=True)
    member_id: Mapped[int | None] = mapped_column(ForeignKey("members.id"))
    created_at: Mapped[datetime]


async def bytes_of(session: AsyncSession, name: str) -> bytes | None:
    """A picture itself; None if it is not there any more."""
    return await session.scalar(select(Upload.body).where(Upload.name == name))
