extension ConfigurationReader {
    /// `store: hub.db`, `store: postgresql://user@host/database`, or `store: { connection: …, password: … }`.
    ///
    /// With a server, the path is that of the files beside the store, named after the hub.
    func store(_ hub: String?) -> (path: String, server: Configuration.StoreServer?)? {
        guard let node = root["store"] else {
            root.mistake(in: "store", "missing", "write store: hub.db")
            return nil
        }
        let beside = surroundings.absolute(hub ?? "hub")
        if node.isMap {
            node.check(keys: ["connection", "password"])
            guard let inner = node["connection"] else {
                node.mistake(
                    in: "connection", "missing", "write store: { connection: \"postgresql://hub@db/hub\", password: { env: NAME } }")
                return nil
            }
            guard let connection = inner.setting(isSecret: false, surroundings) else { return nil }
            if !inner.isMap, !isFreeOfSecrets(connection, inner) { return nil }
            var password: String?
            if let secret = node["password"] {
                guard let text = secret.setting(isSecret: true, surroundings) else { return nil }
                password = text
            }
            return (beside, Configuration.StoreServer(connection: connection, password: password))
        }
        guard let text = node.text("store: hub.db"), !text.isEmpty else { return nil }
        guard text.contains("://") else { return (surroundings.absolute(text), nil) }
        let scheme = text.prefix { $0 != ":" }
        guard scheme == "postgres" || scheme == "postgresql" else {
            node.mistake(
                "a store at \(scheme):// is not supported: it is a SQLite file or a PostgreSQL server",
                "write a file's path, such as hub.db, or postgresql://user@host/database")
            return nil
        }
        return isFreeOfSecrets(text, node) ? (beside, Configuration.StoreServer(connection: text)) : nil
    }

    private func isFreeOfSecrets(_ connection: String, _ node: ConfigurationNode) -> Bool {
        let address = connection.split(separator: "://", maxSplits: 1).last ?? ""
        let user = address.prefix { $0 != "/" }.split(separator: "@", omittingEmptySubsequences: false).dropLast().joined(separator: "@")
        guard user.contains(":") || connection.contains("password=") else { return true }
        node.mistake(
            "a secret must not stand in the configuration",
            "write store: { connection: \"postgresql://user@host/database\", password: { env: NAME } } or { file: path }")
        return false
    }
}
