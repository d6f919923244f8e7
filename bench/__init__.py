"""`make bench`: the budgets of the design, each beside a bare socket client in the same run."""
