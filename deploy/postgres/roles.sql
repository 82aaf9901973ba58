-- One role per service with its own password, and the owner as whom `lumbar migrate` runs. The rights in each
-- database are granted by `lumbar migrate`. Run once by psql, as the superuser, on an empty server.
\getenv owner LUMBAR_OWNER_PASSWORD
\getenv referral LUMBAR_REFERRAL_PASSWORD
\getenv scheduling LUMBAR_SCHEDULING_PASSWORD
\getenv careteam LUMBAR_CARETEAM_PASSWORD
\getenv notifications LUMBAR_NOTIFICATIONS_PASSWORD
\getenv identity LUMBAR_IDENTITY_PASSWORD
\getenv portal LUMBAR_PORTAL_PASSWORD

CREATE ROLE lumbar_owner LOGIN PASSWORD :'owner';
CREATE ROLE lumbar_referral LOGIN PASSWORD :'referral';
CREATE ROLE lumbar_scheduling LOGIN PASSWORD :'scheduling';
CREATE ROLE lumbar_careteam LOGIN PASSWORD :'careteam';
CREATE ROLE lumbar_notifications LOGIN PASSWORD :'notifications';
CREATE ROLE lumbar_identity LOGIN PASSWORD :'identity';
CREATE ROLE lumbar_portal LOGIN PASSWORD :'portal';

CREATE DATABASE referral OWNER lumbar_owner;
CREATE DATABASE scheduling OWNER lumbar_owner;
CREATE DATABASE careteam OWNER lumbar_owner;
CREATE DATABASE notifications OWNER lumbar_owner;
CREATE DATABASE identity OWNER lumbar_owner;
CREATE DATABASE portal OWNER lumbar_owner;
