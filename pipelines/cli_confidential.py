"""The commands about confidential units: make digests, check a salt. No value is ever shown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from audit.errors import UsageError

if TYPE_CHECKING:
    from pipelines.confidential_list import DigestList

confidential_app = typer.Typer(
    help="保密单位：制作摘要名册、核对盐值。 Confidential units: digests and their salt.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

SaltOption = Annotated[
    Path, typer.Option("--salt-file", help="盐值文件，单独保管 the salt, kept apart")
]
LINES_SHOWN = 20


@confidential_app.command("digest")
def make(
    source: Annotated[
        str,
        typer.Argument(metavar="LIST", help="名单文件，- 为标准输入 a file, - for stdin"),
    ],
    salt_file: SaltOption,
    out: Annotated[Path, typer.Option("--out", help="摘要名册 confidential_digest.csv")],
    fresh: Annotated[
        bool, typer.Option("--new-salt", help="新建盐值文件 make the salt file")
    ] = False,
) -> None:
    """由保密单位名单制作摘要名册；不显示、不另存任何代码或名称。 Make the digests of a list."""
    from pipelines import confidential_list as work

    if source != work.STDIN and out.exists() and Path(source).exists() and out.samefile(source):
        raise UsageError("--out 不能是名单文件本身。", "--out may not be the list itself.")
    if fresh:
        work.new_salt(salt_file)
    try:
        found = _digests(source, salt_file, out)
    except BaseException:
        # Nothing was made with it, and the next try makes one again.
        if fresh:
            salt_file.unlink(missing_ok=True)
        raise
    if found.bad_lines:
        shown = "、".join(map(str, found.bad_lines[:LINES_SHOWN]))
        typer.echo(
            f"注意：{len(found.bad_lines)} 行的校验位不对或不像代码、名称，请核对第 {shown} 行。 "
            f"{len(found.bad_lines)} lines have a wrong check character or are no code or name.",
            err=True,
        )
    typer.echo(f"{found.n_units} 个摘要 digests → {out}")


def _digests(source: str, salt_file: Path, out: Path) -> DigestList:
    """Write the digests of a list."""
    from pipelines import confidential_list as work

    salt = work.strong_salt(salt_file)
    if salt_file.stat().st_mode & 0o077:
        typer.echo(
            f"注意：{salt_file} 他人可读，请执行 chmod 600。 Others can read the salt: chmod it.",
            err=True,
        )
    found = work.make_digests(source, salt)
    work.write_digests(found, out)
    return found


@confidential_app.command("check")
def check(
    salt_file: SaltOption,
    input_dir: Annotated[Path, typer.Option("--input", help="送达文件夹 the delivery")],
) -> None:
    """核对送达的摘要名册与盐值是否相符。 Tell whether a delivery's digests and the salt agree."""
    from pipelines.confidential import read_confidential
    from pipelines.readers.which import delivered_files

    sources = delivered_files(input_dir, {})
    found = read_confidential(sources, salt_file)
    if found.checked:
        verdict = "盐值相符 the salt agrees"
    else:
        verdict = (
            "名册没有盐值校验行，无法核对：请用 confidential digest 重做名册 "
            "no check row in the list: cannot tell; make the list again with confidential digest"
        )
    typer.echo(f"{len(found.digests)} 个摘要 digests; {verdict}")
