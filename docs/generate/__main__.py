"""`python -m docs.generate`: write the generated pages and say which changed."""

from docs.generate import GENERATED, write_pages

changed = write_pages()
for path in changed:
    print(f"written: docs/reference/{path.name}")
print(f"{len(GENERATED)} pages, {len(changed)} changed")
