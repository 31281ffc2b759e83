"""Pages of the context `cases`."""

from django.urls import path

from chengshu.contexts.cases import (
    views,
    views_finance,
    views_operator,
    views_packs,
    views_people,
    views_tasks,
)

app_name = "cases"
urlpatterns = [
    path("", views_tasks.tasks, name="tasks"),
    path("bulk", views_tasks.bulk, name="bulk"),
    path("notices", views.notices, name="notices"),
    path("notices/<int:notice_id>/read", views.notice_read, name="notice_read"),
    path("hand-over", views_operator.hand_over, name="hand_over"),
    path("failed-jobs", views_operator.failed_jobs, name="jobs"),
    path("failed-jobs/<int:job_id>/retry", views_operator.retry_job, name="retry_job"),
    path("packs", views_packs.pack_list, name="packs"),
    path("packs/<slug:pack>", views_packs.pack_detail, name="pack"),
    path("packs/<slug:pack>/versions", views_packs.pack_differences, name="pack_differences"),
    path("packs/<slug:pack>/migrate", views_packs.migrate, name="migrate"),
    path("payments", views_finance.orders, name="payments"),
    path("payments.csv", views_finance.orders_csv, name="payments_csv"),
    path("payments/<int:order_id>/settle", views_finance.settle, name="settle"),
    path("<str:case_id>", views.case, name="case"),
    path("<str:case_id>/do/<slug:command>", views.answer, name="answer"),
    path("<str:case_id>/files/<int:file_id>", views.file, name="file"),
    path("<str:case_id>/claim", views_people.claim, name="claim"),
    path("<str:case_id>/give-back", views_people.give_back, name="give_back"),
    path("<str:case_id>/delegate", views_people.delegate, name="delegate"),
    path("<str:case_id>/comment", views_people.comment, name="comment"),
    path("<str:case_id>/reassign", views_operator.reassign, name="reassign"),
]
