"""What merging another project brought, as counts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class MergeReport:
    """What a merge brought; `conflicts` are values where both differ, of which ours stand.

    `renamed` questions have the name (data set, split, id) of another question of ours and were added under
    one of their own. `history` counts changed values of their history; `lost_runs` have no folder any more.
    `prompts` are versions, `replies` all that teachers gave, `requests` those that are new or answered now.
    """

    questions: int = 0
    rows: int = 0
    key_points: int = 0
    rationales: int = 0
    corrections: int = 0
    reviews: int = 0
    notes: int = 0
    judgements: int = 0
    history: int = 0
    conflicts: int = 0
    renamed: int = 0
    runs: int = 0
    lost_runs: int = 0
    evaluations: int = 0
    teachers: int = 0
    prompts: int = 0
    teacher_runs: int = 0
    replies: int = 0
    requests: int = 0
    stopped: bool = False

    @property
    def changed_rows(self) -> int:
        """Return how many rows of the list are new or changed, at most."""
        return self.rows + self.corrections + self.reviews + self.notes
