import HubDriver
import HubModel
import PostgresClient
import Synchronization

extension SlotFeed {
    /// What the database says of slot, publication and tables.
    struct Setup: Sendable {
        /// By their number in `pg_class`.
        var declared: [UInt32: [TableDeclaration]] = [:]
        /// Types whose rows are documents, and whose keys are known therefore, in the order of the setting.
        var natives: [String] = []
        /// The questions that lead from rows to documents, by the declaration's type.
        var trails: [String: String] = [:]
        /// Where the log ends now.
        var serverEnd = LogSequenceNumber.zero
        /// Native types whose tables were not published before.
        var added: Set<String> = []
        /// Why what the hub needs next is not to be had any more; nil where it is.
        var lost: String?
    }

    /// Looks at everything, and makes what is missing.
    ///
    /// - Parameter place: what the hub has; nil: nothing, so that a slot may be made.
    func setUp(_ place: LogSequenceNumber?) async throws(DriverError) -> Setup {
        let made: Result<Setup, DriverError> = try await base.ask { [self] session throws(PostgresError) in
            let connection = try session.connection()
            try base.prepare(connection)
            try ToldKeys.prepare(connection)
            var setup = Setup()
            if let mistake = try server(&setup, on: connection) { return .failure(DriverError(.configuration, mistake)) }
            try declare(&setup, on: connection)
            try publish(&setup, on: connection)
            if let place, place > setup.serverEnd {
                let text = "The server's log ends at \(setup.serverEnd), and the hub has it up to \(place): the database was restored. "
                return .failure(DriverError(.configuration, text + "Compare the application, then remove its capture position."))
            }
            setup.lost = try look(place, on: connection)
            return .success(setup)
        }
        return try made.get()
    }

    private func server(_ setup: inout Setup, on connection: PostgresConnection) throws(PostgresError) -> String? {
        let row = try connection.run(
            """
            SELECT current_setting('wal_level'), pg_current_wal_lsn()::text,
                (SELECT rolreplication OR rolsuper FROM pg_roles WHERE rolname = current_user), current_user
            """
        ).first
        guard let row, let end = LogSequenceNumber(row.text(1)) else { throw PostgresError(.lost, "The server gave no place in its log.") }
        setup.serverEnd = end
        guard row.text(0) == "logical" else {
            return "The server's wal_level is \(row.text(0)): set wal_level = logical and restart it."
        }
        return row.flag(2) ? nil : "The user \(row.text(3)) may not replicate: ALTER ROLE … REPLICATION."
    }

    private func declare(_ setup: inout Setup, on connection: PostgresConnection) throws(PostgresError) {
        base.forgetShapes()
        for declaration in base.tables where declaration.feed == .slot {
            guard let shape = try base.present(declaration, on: connection) else { continue }
            if let trail = declaration.trail {
                guard let question = try question(trail, declaration, on: connection) else { continue }
                setup.trails[declaration.native] = question
            }
            try ReplicaIdentity.check(shape, on: connection)
            if declaration.document == nil { setup.natives.append(declaration.native) }
            let id = try connection.run("SELECT to_regclass($1)::oid::bigint", [.text(shape.table)]).first?.integer(0) ?? 0
            setup.declared[UInt32(clamping: id), default: []].append(declaration)
        }
    }

    private func question(
        _ trail: DocumentTrail, _ declaration: TableDeclaration, on connection: PostgresConnection
    ) throws(PostgresError) -> String? {
        do throws(PostgresError) { return try trail.question(on: connection) } catch {
            guard declaration.isOptional, error.state == .noColumn else { throw error }
            return nil
        }
    }

    private func publish(_ setup: inout Setup, on connection: PostgresConnection) throws(PostgresError) {
        let isThere = try connection.run("SELECT FROM pg_publication WHERE pubname = $1", [.text(publication)]).count > 0
        let published = try connection.run(
            """
            SELECT format('%I.%I', schemaname, tablename)::regclass::oid::bigint FROM pg_publication_tables WHERE pubname = $1
            """, [.text(publication)]
        ).rows.map { UInt32(clamping: $0.integer(0)) }
        var tables: Set<String> = []
        for (id, declarations) in setup.declared where !published.contains(id) {
            for declaration in declarations {
                if let shape = try base.shape(declaration.native, on: connection) { tables.insert(shape.table) }
                setup.added.insert(declaration.native)
            }
        }
        guard !tables.isEmpty else { return }
        let name = PostgresConnection.quoted(publication)
        let list = tables.sorted().joined(separator: ", ")
        let sql =
            isThere
            ? "ALTER PUBLICATION \(name) ADD TABLE \(list)"
            : "CREATE PUBLICATION \(name) FOR TABLE \(list) WITH (publish_via_partition_root = true)"
        do throws(PostgresError) { try connection.run(sql) } catch {
            guard error.state == .privilege else { throw error }
            throw PostgresError(.usage, "\(error.message). Who may has to say: \(sql)", state: error.state)
        }
    }

    /// - Returns: why the slot does not have what follows `place`; nil where it does.
    private func look(_ place: LogSequenceNumber?, on connection: PostgresConnection) throws(PostgresError) -> String? {
        let found = try connection.run(
            """
            SELECT confirmed_flush_lsn::text, wal_status, coalesce(plugin, '') || ' of ' || coalesce(database, ''), current_database()
            FROM pg_replication_slots WHERE slot_name = $1
            """, [.text(slot)]
        ).first
        let repair = "It is made anew, every table is read again, and deletions are found by comparing keys."
        guard let row = found else {
            guard place == nil else { return "The replication slot \(slot) is gone. \(repair)" }
            try create(on: connection)
            return nil
        }
        guard row.text(2) == "pgoutput of \(row.text(3))" else {
            throw PostgresError(.usage, "The replication slot \(slot) is \(row.text(2)): name another one.")
        }
        if row.optionalText(1) == "lost" {
            guard place == nil else {
                return "The replication slot \(slot) was given up by the server, since it held more than max_slot_wal_keep_size. \(repair)"
            }
            try connection.run("SELECT pg_drop_replication_slot($1)", [.text(slot)])
            try create(on: connection)
        } else if let place, let confirmed = row.optionalText(0).flatMap({ LogSequenceNumber($0) }), confirmed > place {
            return "The replication slot \(slot) begins at \(confirmed), and the hub needs what follows \(place): "
                + "somebody else has used it, or it was made anew. \(repair)"
        }
        return nil
    }

    private func create(on connection: PostgresConnection) throws(PostgresError) {
        do throws(PostgresError) {
            try connection.run("SELECT pg_create_logical_replication_slot($1, 'pgoutput')", [.text(slot)])
        } catch {
            guard error.state == .cancelled else { throw error }
            throw PostgresError(
                .late, "The slot waits for transactions that have been open for long: see pg_stat_activity.", state: error.state)
        }
    }

    // MARK: For people

    func details(on connection: PostgresConnection) throws(PostgresError) -> [String] {
        let row = try connection.run(
            """
            SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), s.confirmed_flush_lsn)::bigint,
                pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn)::bigint, s.wal_status, s.active, s.safe_wal_size,
                current_setting('max_slot_wal_keep_size')
            FROM (SELECT) AS one LEFT JOIN pg_replication_slots AS s ON s.slot_name = $1
            """, [.text(slot)]
        ).first
        guard let row else { return [] }
        var details: [String] = []
        if row.isNull(2) {
            details.append("slot \(slot): not there yet")
        } else {
            details.append(
                "slot \(slot): \(row.integer(0)) bytes behind, holds \(row.integer(1)) bytes of the log, \(row.text(2)), "
                    + (row.flag(3) ? "streaming" : "nobody streams"))
            switch row.text(2) {
            case "lost": details.append("slot \(slot) is LOST: the next capture makes it anew, reads every table and compares keys")
            case "unreserved": details.append("slot \(slot) is ABOUT TO BE LOST: start the capture, or raise max_slot_wal_keep_size")
            default: break
            }
        }
        if row.text(5) == "-1" {
            details.append("max_slot_wal_keep_size is unlimited: a hub that stands still would fill the server's disk; set it, 10GB say")
        } else {
            details.append("max_slot_wal_keep_size \(row.text(5))")
        }
        let cuts = state.withLock { $0.cuts }
        if cuts > 0 { details.append("\(cuts) batches ended within a transaction that was larger than they") }
        return details
    }
}
