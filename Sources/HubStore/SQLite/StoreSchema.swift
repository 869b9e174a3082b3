/// The tables, as steps from one version to the next. A step that has been released is never changed; new ones are added behind it.
package struct StoreSchema: Sendable {
    /// `steps[n]` leads from version n to n + 1, the version standing in `user_version`.
    package var steps: [String]

    package init(steps: [String]) { self.steps = steps }

    /// What marks a file as a store of the hub (`application_id`): “HUBS”.
    static let applicationID: Int64 = 0x4855_4253

    package static let current = StoreSchema(steps: [first, rejections])

    /// Text is compared byte for byte everywhere, which is SQLite's own habit. Tables with documents in them keep their row ids: an update
    /// then dirties one small page (measured: twice as fast as `WITHOUT ROWID`, which suits the small rows). Documents stand last.
    private static let first = """
        CREATE TABLE golden (
            id TEXT NOT NULL PRIMARY KEY, entity TEXT NOT NULL, deleted INTEGER NOT NULL, doc TEXT NOT NULL
        ) STRICT;
        CREATE INDEX golden_entity ON golden (entity, id);

        CREATE TABLE target (
            application TEXT NOT NULL, company TEXT NOT NULL, id TEXT NOT NULL, entity TEXT NOT NULL,
            intent_sent INTEGER, wait_reason TEXT, wait_since INTEGER, wait_until INTEGER, awaits TEXT, doc TEXT NOT NULL,
            PRIMARY KEY (application, company, id)
        ) STRICT;
        CREATE INDEX target_wait ON target (application, wait_reason, wait_since, company, id, wait_until) WHERE wait_reason IS NOT NULL;
        CREATE INDEX target_wake ON target (application, wait_until) WHERE wait_until IS NOT NULL;
        CREATE INDEX target_awaits ON target (application, awaits) WHERE awaits IS NOT NULL;
        CREATE INDEX target_intent ON target (application, entity, intent_sent) WHERE intent_sent IS NOT NULL;

        CREATE TABLE left_out (
            application TEXT NOT NULL, awaits TEXT NOT NULL, company TEXT NOT NULL, id TEXT NOT NULL,
            PRIMARY KEY (application, awaits, company, id)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE link (
            application TEXT NOT NULL, company TEXT NOT NULL, entity TEXT NOT NULL, "key" TEXT NOT NULL, id TEXT NOT NULL,
            PRIMARY KEY (application, company, entity, "key")
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE match (
            entity TEXT NOT NULL, field TEXT NOT NULL, id TEXT NOT NULL, text TEXT NOT NULL,
            PRIMARY KEY (entity, field, id)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX match_text ON match (entity, field, text);

        CREATE TABLE waiting_event (
            sequence INTEGER PRIMARY KEY,
            application TEXT NOT NULL, company TEXT NOT NULL, entity TEXT NOT NULL, "key" TEXT NOT NULL,
            kind TEXT NOT NULL, awaited_application TEXT, awaited_company TEXT, awaited_entity TEXT, awaited_key TEXT,
            ready INTEGER NOT NULL, since INTEGER NOT NULL,
            topic TEXT NOT NULL, "partition" INTEGER NOT NULL, "offset" INTEGER NOT NULL, timestamp INTEGER,
            record_key BLOB, headers TEXT NOT NULL, value BLOB
        ) STRICT;
        CREATE INDEX waiting_document ON waiting_event (application, company, entity, "key");
        CREATE INDEX waiting_link ON waiting_event (awaited_application, awaited_company, awaited_entity, awaited_key) WHERE kind = 'link';
        CREATE INDEX waiting_intents ON waiting_event (awaited_application, awaited_entity) WHERE kind = 'intents';
        CREATE INDEX waiting_ready ON waiting_event (sequence) WHERE ready = 1;

        CREATE TABLE outbox (
            sequence INTEGER PRIMARY KEY, topic TEXT NOT NULL, "partition" INTEGER NOT NULL, "offset" INTEGER NOT NULL, timestamp INTEGER,
            record_key BLOB, headers TEXT NOT NULL, value BLOB
        ) STRICT;

        CREATE TABLE dead_letter (
            id INTEGER PRIMARY KEY, application TEXT, target_application TEXT, target_company TEXT, target_id TEXT, version TEXT,
            code TEXT NOT NULL, reason TEXT NOT NULL, time INTEGER NOT NULL, replayed INTEGER,
            topic TEXT, "partition" INTEGER, "offset" INTEGER, timestamp INTEGER, record_key BLOB, headers TEXT, value BLOB
        ) STRICT;
        CREATE INDEX dead_letter_open ON dead_letter (id) WHERE replayed IS NULL;

        CREATE TABLE conflict (
            id INTEGER PRIMARY KEY, document TEXT NOT NULL, field TEXT NOT NULL, application TEXT NOT NULL, refused TEXT NOT NULL, kept TEXT,
            winner TEXT, rule TEXT NOT NULL, event TEXT NOT NULL, time INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE alarm (
            id INTEGER PRIMARY KEY, code TEXT NOT NULL, application TEXT, document TEXT, text TEXT NOT NULL, time INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX alarm_document ON alarm (document, code);

        CREATE TABLE position (
            consumer_group TEXT NOT NULL, topic TEXT NOT NULL, "partition" INTEGER NOT NULL, "offset" INTEGER, epoch INTEGER NOT NULL,
            PRIMARY KEY (consumer_group, topic, "partition")
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE counter (
            kind TEXT NOT NULL, a TEXT NOT NULL, b TEXT NOT NULL, count INTEGER NOT NULL,
            PRIMARY KEY (kind, a, b)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE catch_up (application TEXT NOT NULL PRIMARY KEY, entities TEXT NOT NULL, after TEXT) STRICT, WITHOUT ROWID;

        CREATE TABLE note (name TEXT NOT NULL PRIMARY KEY, text TEXT NOT NULL) STRICT, WITHOUT ROWID;
        """

    /// Finds the targets whose newest write was refused. Those of older hubs are marked by their text: a document that holds the same by
    /// chance is sorted out by whoever reads it.
    private static let rejections = """
        ALTER TABLE target ADD COLUMN rejected INTEGER;
        UPDATE target SET rejected = 1 WHERE instr(doc, '"rejected":{') > 0;
        CREATE INDEX target_rejected ON target (application, company, id) WHERE rejected = 1;
        """
}
