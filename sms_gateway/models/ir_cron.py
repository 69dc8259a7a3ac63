from functools import partial

from odoo import SUPERUSER_ID, api, models


class IrCron(models.Model):
    _inherit = "ir.cron"

    @classmethod
    def _process_job(cls, cron_cr, job):
        """Override of `base` to look again at a job that was triggered while it was ending.

        Whoever is woken by such a trigger finds the job locked and goes back to sleep, a minute
        long: a text written at that moment would wait for it.
        """
        res = super()._process_job(cron_cr, job)
        cron_cr.postcommit.add(partial(cls._wake_if_triggered, job["id"]))
        return res

    @classmethod
    def _wake_if_triggered(cls, job_id):
        """Wake the scheduler where a trigger of the job is due; the job is released."""
        with cls.pool.cursor() as cr:
            cr.execute(
                """
                SELECT FROM ir_cron_trigger
                 WHERE cron_id = %s AND call_at <= now() at time zone 'utc' LIMIT 1
                """,
                [job_id],
            )
            if cr.rowcount:
                api.Environment(cr, SUPERUSER_ID, {})["ir.cron"]._notifydb()
