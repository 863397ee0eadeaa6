"""Commands that Terraform's provisioners run."""

from __future__ import annotations

from mlops_audit.facts.resources import Resource
from mlops_audit.facts.terraform import read_terraform
from mlops_audit.facts.types import Unreadable
from mlops_audit.graph.provisioners import provisioner_targets

_IMAGE = """
resource "null_resource" "image" {
  provisioner "local-exec" {
    command = <<EOF
      cd ${path.module}/../..
      docker push ${var.repository}:v1
    EOF
  }
}
"""


def _read(**files: str) -> list[Resource]:
    found: list[Resource] = []
    for path, text in files.items():
        result = read_terraform(path.replace("__", "/") + ".tf", text.encode())
        assert not isinstance(result, Unreadable)
        found += result
    return found


def test_a_modules_provisioner_runs_where_the_root_is_applied() -> None:
    """A local module's command belongs to the root's target and starts in the root's folder."""
    root = 'module "ecr" {\n  source = "./modules/ecr"\n}\n'
    (target,) = provisioner_targets(_read(infra__main=root, infra__modules__ecr__main=_IMAGE))
    assert (target.runner, target.folder) == ("terraform", "infra")
    push = target.commands[-1]
    assert push.argv[:2] == ("docker", "push")
    assert (push.span.path, push.span.line) == ("infra/modules/ecr/main.tf", 6)


def test_what_is_destroyed_runs_nothing_when_applied() -> None:
    """A provisioner for destruction, and one without a command, give no target."""
    text = (
        'resource "null_resource" "a" {\n  provisioner "local-exec" {\n    when = destroy\n'
        '    command = "docker rm x"\n  }\n'
        '  provisioner "remote-exec" {\n    inline = ["ls"]\n  }\n}\n'
    )
    assert provisioner_targets(_read(main=text)) == ()


def test_modules_that_call_each_other_end() -> None:
    """Two folders that name each other as modules are walked once, and neither is a root."""
    first = 'module "b" {\n  source = "../b"\n}\n' + _IMAGE
    second = 'module "a" {\n  source = "../a"\n}\n'
    assert provisioner_targets(_read(a__main=first, b__main=second)) == ()
