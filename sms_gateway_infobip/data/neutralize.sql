-- disconnect the copy from Infobip
UPDATE sms_gateway
   SET infobip_url = NULL,
       infobip_key = NULL;
