"""The short questions to a teacher, each one backend command: its models, a test, one question tried."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from PySide6.QtCore import QObject

from kpdd_app.jobs import Job, Jobs
from kpdd_app.open_project import OpenProject
from kpdd_app.pages.teacher_settings import TeacherSettings
from kpdd_app.pages.teacher_try import TryPanel
from training_backend.errors import KpddError
from training_backend.events import Failed, Result
from training_backend.teacher import keys
from training_backend.teacher.cost import price_of
from training_backend.teacher.teacher_config import TeacherConfig

Then = Callable[[Job, dict[str, Any] | None], None]


class Asks(QObject):
    """Starts `kpdd teacher models|test|ask` and hands what comes to the panels."""

    def __init__(
        self,
        project: OpenProject,
        jobs: Jobs,
        settings: TeacherSettings,
        trial: TryPanel,
        config: Callable[[], TeacherConfig | None],
        parent: QObject | None = None,
    ) -> None:
        """`config` gives the teacher that is chosen now."""
        super().__init__(parent)
        self._project, self._jobs = project, jobs
        self._settings, self._trial, self._config = settings, trial, config
        self.trying: Job | None = None

    def fetch_models(self) -> None:
        """Fetch the list of models."""
        config = self._config()
        if config is not None:
            self._settings.show_busy(self.tr("fetching the list …"))
            self._start("models", config, [], partial(self._take_models, config.name))

    def test(self) -> None:
        """Test address, key, model and a reply."""
        config = self._config()
        if config is not None and config.kind in ("endpoint", "local"):
            self._settings.show_busy(self.tr("testing …"))
            self._start("test", config, [], partial(self._take_test, config))

    def try_one(self) -> None:
        """Ask about the question of the trial; nothing is stored."""
        config = self._config()
        if config is not None and self.trying is None:
            self._trial.set_busy(True)
            self.trying = self._start("ask", config, self._trial.arguments(), self._take_trial)

    def stop_trying(self) -> None:
        """End a trial that takes too long."""
        if self.trying is not None:
            self.trying.kill()

    # --- slots ------------------------------------------------------------------------------------

    def _take_models(self, name: str, job: Job, data: dict[str, Any] | None) -> None:
        self._settings.show_busy("")
        if not self._is_chosen(name):
            return
        title = self.tr("Models")
        if data is None:
            self._say(title, job.last_failure)
            return
        found = list(data.get("models") or ())
        self._settings.set_models(found)
        sentence = self.tr("The server offers {0} models; choose one above.").format(len(found))
        self._settings.show_checks([{"ok": True, "title": title, "sentence": sentence}])

    def _take_test(self, config: TeacherConfig, job: Job, data: dict[str, Any] | None) -> None:
        self._settings.show_busy("")
        if not self._is_chosen(config.name):
            return
        self._settings.flush()
        if self._settings.shown() != config:
            sentence = self.tr("The settings were changed meanwhile.")
            self._settings.show_checks([{"ok": False, "title": self.tr("Test"), "sentence": sentence,
                                         "hint": self.tr("Test again.")}])  # fmt: skip
        elif data is None:
            self._say(self.tr("Test"), job.last_failure)
        else:
            self._settings.show_checks(data.get("checks") or ())

    def _take_trial(self, job: Job, data: dict[str, Any] | None) -> None:
        self.trying = None
        self._trial.set_busy(False)
        config = self._config()
        if data is not None and config is not None:
            self._trial.show_requests(data.get("requests") or (), _price(config))
        elif job.status == "failed":
            self._trial.show_failure(job.last_failure)
        else:
            self._trial.clear()

    # --- helpers ----------------------------------------------------------------------------------

    def _start(self, action: str, config: TeacherConfig, words: list[str], then: Then) -> Job:
        """Run `kpdd teacher ACTION` and hand over its result, None when there is none."""
        # what was typed must be on disk before the other process reads it
        self._project.flush()
        found: list[dict[str, Any]] = []
        job = self._jobs.start(
            self.tr("Teacher: {0}").format(config.name),
            ["teacher", action, str(self._project.path), config.name, *words],
            background=True,
            environment=keys.child_environment(config),
        )
        job.event_came.connect(lambda event: found.append(event.data) if isinstance(event, Result) else None)
        job.ended.connect(lambda _: then(job, found[-1] if found else None))
        return job

    def _is_chosen(self, name: str) -> bool:
        config = self._config()
        return config is not None and config.name == name

    def _say(self, title: str, failure: Failed | None) -> None:
        if failure is not None:
            check = {"ok": False, "title": title, "sentence": failure.message, "hint": failure.hint}
            self._settings.show_checks([check])


def _price(config: TeacherConfig) -> Any:
    try:
        return price_of(config)
    except KpddError:
        return None
