"""Settings of the distributed shape that fit."""

SERVICES = ("REFERRAL", "SCHEDULING", "CARETEAM", "NOTIFICATIONS")

PUBLIC = {"LUMBAR_URL": "https://clinic.example", "LUMBAR_ISSUER": "https://id.example"}
KAFKA = PUBLIC | {
    "LUMBAR_KAFKA_BOOTSTRAP": "kafka-1:9092,kafka-2:9092",
    "LUMBAR_REFERRAL_DATABASE_URL": "postgresql://lumbar_referral:hush@db/referral",
    "LUMBAR_REPLICA": "1",
}
POSTGRES = PUBLIC | {
    "LUMBAR_TRANSPORT": "postgres",
    **{
        f"LUMBAR_{name}_DATABASE_URL": f"postgresql://lumbar_referral:hush@db/{name.lower()}"
        for name in SERVICES
    },
}
ISSUER = {
    "LUMBAR_URL": "https://clinic.example",
    "LUMBAR_IDENTITY_DATABASE_URL": "postgresql://lumbar_identity:hush@db/identity",
}
GATEWAY = {f"LUMBAR_{name}_ADDRESSES": "http://one:8080,http://two:8080" for name in (*SERVICES, "ISSUER")}
