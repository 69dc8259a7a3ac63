-- disconnect the copy from LINK Mobility
UPDATE sms_gateway
   SET linkmobility_url = NULL,
       linkmobility_username = NULL,
       linkmobility_password = NULL;
