-- A copy of the database is no exchange's, and tells none.
UPDATE contact_center_connector
   SET token_hash = NULL, token_hint = NULL, signing_secret = NULL, outbound_url = NULL,
       outbound_secret = NULL;
DELETE FROM contact_center_delivery WHERE state = 'waiting';
