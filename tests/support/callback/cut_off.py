# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ends a run by kill -9 right before a task: by number among those that may change something, or by name. For tests."""

from __future__ import annotations

import os
import signal
import typing as t

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: cut_off
type: aggregate
short_description: kill -9 before the n-th task
description:
  - Counts the tasks from the first play that changes something on, and ends the process before number CUT_OFF_AT of
    them starts. With CUT_OFF_NAME it counts only the tasks whose name begins like that.
"""

FIRST_PLAY = ("5/6", "One after the other", "Take out")


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "cut_off"
    CALLBACK_NEEDS_ENABLED = True

    counting = False
    count = 0

    def v2_playbook_on_play_start(self, play: t.Any) -> None:
        self.counting = self.counting or play.get_name().startswith(FIRST_PLAY)

    def v2_playbook_on_task_start(self, task: t.Any, *_more: t.Any, **_others: t.Any) -> None:
        self.count += self.counting and task.get_name().startswith(os.environ.get("CUT_OFF_NAME", ""))
        if self.count == int(os.environ["CUT_OFF_AT"]):
            os.kill(os.getpid(), signal.SIGKILL)
