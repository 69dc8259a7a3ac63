-- disconnect the copy from OVHcloud
UPDATE sms_gateway
   SET ovh_application_key = NULL,
       ovh_application_secret = NULL,
       ovh_consumer_key = NULL,
       ovh_service_name = NULL;
