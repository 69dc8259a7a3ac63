-- A copy of the database sends nothing, takes nothing in, and keeps no call of a provider: what
-- proved it may be in it.
UPDATE sms_gateway
   SET state = 'disabled',
       webhook_token = gen_random_uuid()::text,
       webhook_username = NULL,
       webhook_password = NULL;
UPDATE sms_gateway SET webhook_token_digest = encode(sha256(webhook_token::bytea), 'hex');
UPDATE sms_message SET state = 'cancelled' WHERE state = 'queued';
UPDATE sms_sms SET state = 'canceled' WHERE state = 'outgoing' AND sender_id IS NOT NULL;
DELETE FROM sms_gateway_event;
