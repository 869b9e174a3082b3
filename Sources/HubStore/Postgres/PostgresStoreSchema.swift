import HubModel

/// The tables in PostgreSQL, as steps from one version to the next. A step that has been released is never changed; new ones are added
/// behind it.
package struct PostgresStoreSchema: Sendable {
    /// `steps[n]` leads from version n to n + 1, the version standing in `store_turn`.
    package var steps: [String]

    package init(steps: [String]) { self.steps = steps }

    package static let current = PostgresStoreSchema(steps: [first, rejections])

    /// Looks whether the store is there and not of a newer hub; gives its version, 0 where there is none.
    func check(_ connection: StoreConnection, mustExist: Bool) throws(StoreError) -> Int {
        let isThere = try connection.first("SELECT (to_regclass('store_turn') IS NOT NULL)::integer") { $0.flag(0) } ?? false
        guard isThere else {
            if mustExist { throw StoreError(.failed, "There is no store in that database and schema yet; start the hub first.") }
            return 0
        }
        let version = try connection.first("SELECT version FROM store_turn") { Int($0.integer(0)) } ?? 0
        if version > steps.count {
            throw StoreError(
                .newer,
                "The store was made by a newer hub (store version \(version), this one knows \(steps.count)). Install that hub, or restore a backup."
            )
        }
        if mustExist && version < steps.count {
            throw StoreError(
                .failed, "The store is of an older hub (store version \(version)). Start the hub once, which brings it up to date.")
        }
        return version
    }

    /// Takes the missing steps, all or none, and gives a new store its generation and its name.
    func migrate(_ connection: StoreConnection) throws(StoreError) {
        if try check(connection, mustExist: false) == steps.count { return }
        do throws(StoreError) {
            // Of several hubs that come at once, one makes the tables.
            try connection.execute("BEGIN; SELECT pg_advisory_xact_lock(5063114)")
            let version = try check(connection, mustExist: false)
            for step in steps[version...] { try connection.execute(step) }
            if version == 0 {
                try connection.run("INSERT INTO counter (kind, a, b, count) VALUES ('generation', '', '', 1)")
                try connection.run("INSERT INTO note (name, text) VALUES ('store-id', $1)", .text(MemoryStore.randomID()))
            }
            try connection.run("UPDATE store_turn SET version = $1", .integer(Int64(steps.count)))
            try connection.settle()
            try connection.execute("COMMIT")
        } catch {
            connection.rollBack()
            throw error
        }
    }

    /// Text is compared byte for byte (`COLLATE "C"`). Documents stand last. `match_text` and `waiting_link` find texts of any length.
    private static let first = """
        CREATE TABLE store_turn (id integer PRIMARY KEY CHECK (id = 1), version integer NOT NULL, writer text NOT NULL);
        INSERT INTO store_turn VALUES (1, 0, '');

        CREATE TABLE golden (
            id text COLLATE "C" PRIMARY KEY, entity text COLLATE "C" NOT NULL, deleted smallint NOT NULL, doc text NOT NULL
        ) WITH (fillfactor = 80);
        CREATE INDEX golden_entity ON golden (entity, id);

        CREATE TABLE target (
            application text COLLATE "C" NOT NULL, company text COLLATE "C" NOT NULL, id text COLLATE "C" NOT NULL,
            entity text COLLATE "C" NOT NULL, intent_sent bigint, wait_reason text COLLATE "C", wait_since bigint, wait_until bigint,
            awaits text COLLATE "C", doc text NOT NULL,
            PRIMARY KEY (application, company, id)
        ) WITH (fillfactor = 80);
        CREATE INDEX target_wait ON target (application, wait_reason, wait_since, company, id) WHERE wait_reason IS NOT NULL;
        CREATE INDEX target_wake ON target (application, wait_until) WHERE wait_until IS NOT NULL;
        CREATE INDEX target_awaits ON target (application, awaits) WHERE awaits IS NOT NULL;
        CREATE INDEX target_intent ON target (application, entity, intent_sent) WHERE intent_sent IS NOT NULL;

        CREATE TABLE left_out (
            application text COLLATE "C" NOT NULL, awaits text COLLATE "C" NOT NULL, company text COLLATE "C" NOT NULL,
            id text COLLATE "C" NOT NULL,
            PRIMARY KEY (application, awaits, company, id)
        );

        CREATE TABLE link (
            application text COLLATE "C" NOT NULL, company text COLLATE "C" NOT NULL, entity text COLLATE "C" NOT NULL,
            "key" text COLLATE "C" NOT NULL, id text COLLATE "C" NOT NULL,
            PRIMARY KEY (application, company, entity, "key")
        );

        CREATE TABLE match (
            entity text COLLATE "C" NOT NULL, field text COLLATE "C" NOT NULL, id text COLLATE "C" NOT NULL, text text COLLATE "C" NOT NULL,
            PRIMARY KEY (entity, field, id)
        );
        CREATE INDEX match_text ON match (entity, field, md5(text));

        CREATE TABLE waiting_event (
            sequence bigint PRIMARY KEY,
            application text COLLATE "C" NOT NULL, company text COLLATE "C" NOT NULL, entity text COLLATE "C" NOT NULL,
            "key" text COLLATE "C" NOT NULL,
            kind text NOT NULL, awaited_application text COLLATE "C", awaited_company text COLLATE "C", awaited_entity text COLLATE "C",
            awaited_key text COLLATE "C", ready smallint NOT NULL, since bigint NOT NULL,
            topic text COLLATE "C" NOT NULL, "partition" integer NOT NULL, "offset" bigint NOT NULL, timestamp bigint,
            record_key bytea, headers text NOT NULL, value bytea
        );
        CREATE INDEX waiting_document ON waiting_event (application, company, entity, "key", sequence);
        CREATE INDEX waiting_link ON waiting_event (awaited_application, awaited_company, awaited_entity, awaited_key) WHERE kind = 'link';
        CREATE INDEX waiting_intents ON waiting_event (awaited_application, awaited_entity) WHERE kind = 'intents';
        CREATE INDEX waiting_ready ON waiting_event (sequence) WHERE ready = 1;

        CREATE TABLE outbox (
            sequence bigint PRIMARY KEY, topic text COLLATE "C" NOT NULL, "partition" integer NOT NULL, "offset" bigint NOT NULL,
            timestamp bigint, record_key bytea, headers text NOT NULL, value bytea
        );

        CREATE TABLE dead_letter (
            id bigint PRIMARY KEY, application text COLLATE "C", target_application text COLLATE "C", target_company text COLLATE "C",
            target_id text COLLATE "C", version text, code text NOT NULL, reason text NOT NULL, time bigint NOT NULL, replayed bigint,
            topic text COLLATE "C", "partition" integer, "offset" bigint, timestamp bigint, record_key bytea, headers text, value bytea
        );
        CREATE INDEX dead_letter_open ON dead_letter (id) WHERE replayed IS NULL;

        CREATE TABLE conflict (
            id bigint PRIMARY KEY, document text COLLATE "C" NOT NULL, field text NOT NULL, application text COLLATE "C" NOT NULL,
            refused text NOT NULL, kept text, winner text, rule text NOT NULL, event text NOT NULL, time bigint NOT NULL
        );

        CREATE TABLE alarm (
            id bigint PRIMARY KEY, code text COLLATE "C" NOT NULL, application text COLLATE "C", document text COLLATE "C",
            text text COLLATE "C" NOT NULL, time bigint NOT NULL
        );
        CREATE INDEX alarm_document ON alarm (document, code);

        CREATE TABLE position (
            consumer_group text COLLATE "C" NOT NULL, topic text COLLATE "C" NOT NULL, "partition" integer NOT NULL, "offset" bigint,
            epoch bigint NOT NULL,
            PRIMARY KEY (consumer_group, topic, "partition")
        ) WITH (fillfactor = 50);

        CREATE TABLE counter (
            kind text COLLATE "C" NOT NULL, a text COLLATE "C" NOT NULL, b text COLLATE "C" NOT NULL, count bigint NOT NULL,
            PRIMARY KEY (kind, a, b)
        ) WITH (fillfactor = 50);

        CREATE TABLE catch_up (application text COLLATE "C" PRIMARY KEY, entities text NOT NULL, after text);

        CREATE TABLE note (name text COLLATE "C" PRIMARY KEY, text text NOT NULL);
        """

    /// Finds the targets whose newest write was refused, as in ``StoreSchema``.
    private static let rejections = """
        ALTER TABLE target ADD COLUMN rejected smallint;
        UPDATE target SET rejected = 1 WHERE strpos(doc, '"rejected":{') > 0;
        CREATE INDEX target_rejected ON target (application, company, id) WHERE rejected = 1;
        """
}
