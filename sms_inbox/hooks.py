from odoo.tools import SQL


def post_init_hook(env):
    """Those who already follow a record and hear of its messages hear of received texts too.

    A new subtype reaches new followers only.
    """
    env.execute_query(
        SQL(
            """
            INSERT INTO mail_followers_mail_message_subtype_rel
                   (mail_followers_id, mail_message_subtype_id)
            SELECT rel.mail_followers_id, %s
              FROM mail_followers_mail_message_subtype_rel rel
              JOIN mail_followers follower ON follower.id = rel.mail_followers_id
              JOIN res_users usr ON usr.partner_id = follower.partner_id AND NOT usr.share
             WHERE rel.mail_message_subtype_id = %s
                ON CONFLICT DO NOTHING
         RETURNING mail_followers_id
            """,
            env.ref("sms_inbox.mt_sms_in").id,
            env.ref("mail.mt_comment").id,
        )
    )
