"""Writes a C table of the migrations: embed_migrations.py OUTPUT NNN_name.sql ...

Meson, which builds everything else here, is itself Python, so this needs nothing further.
"""
import pathlib
import sys

output, *sources = sys.argv[1:]
lines = ['// Made from src/store/migrations by embed_migrations.py.', '#include "store/migrate.h"', '',
         '#pragma GCC diagnostic ignored "-Woverlength-strings"', '',
         'const struct migration migrations[] = {']
for expected, source in enumerate(sorted(sources, key=lambda path: pathlib.Path(path).name), start=1):
    path = pathlib.Path(source)
    number, name = path.stem.split('_', 1)
    if int(number) != expected:
        sys.exit(f'{path.name}: the migration after {expected - 1} must have number {expected}')
    lines.append(f'    {{{expected}, "{name}",')
    for line in path.read_text().splitlines():
        text = line.replace('\\', '\\\\').replace('"', '\\"').replace('?', '\\?').replace('\t', '\\t')
        lines.append(f'     "{text}\\n"')
    lines.append('    },')
lines += ['};', 'const unsigned migration_count = sizeof migrations / sizeof *migrations;', '']
pathlib.Path(output).write_text('\n'.join(lines))
