import HubModel

extension ConfigurationReader {
    private static let httpExample = "http: { listen: \"127.0.0.1:8080\", tokens: { shop: { secret: { env: SHOP_TOKEN }, publish: crm } } }"
    /// A shorter secret can be guessed.
    private static let shortestSecret = 16

    /// `http: { listen: "127.0.0.1:8080", tokens: { … } }`; nil where there is none, or where it has mistakes.
    ///
    /// - Parameter applications: those that there are.
    func http(_ applications: [ApplicationID]) -> HTTPSettings? {
        guard let node = root["http"] else { return nil }
        _ = node.members(Self.httpExample)
        node.check(keys: ["listen", "tokens", "bodyBytes", "connections"])
        guard let listen = node["listen"] else {
            node.mistake(in: "listen", "missing", "write listen: \"127.0.0.1:8080\"")
            return nil
        }
        let address = address(listen)
        var settings = HTTPSettings(host: address?.host ?? "", port: address?.port ?? 0, tokens: tokens(node, applications))
        if let bytes = node["bodyBytes"]?.integer(1024...(32 << 20)) { settings.bodyBytes = bytes }
        if let connections = node["connections"]?.integer(1...10_000) { settings.connections = connections }
        return address == nil ? nil : settings
    }

    /// `8080`, `127.0.0.1:8080` or `[::1]:8080`.
    private func address(_ node: ConfigurationNode) -> (host: String, port: Int)? {
        guard let text = node.text("\"127.0.0.1:8080\"") else { return nil }
        let colon = text.lastIndex(of: ":")
        let digits = colon.map { text[text.index(after: $0)...] } ?? text[...]
        var host = colon.map { String(text[..<$0]) } ?? HTTPSettings.loopback
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        guard let port = Int(digits), (0...65_535).contains(port), !host.isEmpty, !host.contains("/"), !host.contains(" ") else {
            node.mistake(
                "\(text) is no address to listen at", "write \"127.0.0.1:8080\"; all of the machine's addresses are \"0.0.0.0:8080\"")
            return nil
        }
        return (host, port)
    }

    private func tokens(_ node: ConfigurationNode, _ applications: [ApplicationID]) -> [HTTPSettings.Token] {
        guard let table = node["tokens"] else {
            node.mistake(in: "tokens", "missing: without one nobody could do anything", "write it as in \(Self.httpExample)")
            return []
        }
        var tokens: [HTTPSettings.Token] = []
        for member in table.members("tokens: { shop: { secret: { env: SHOP_TOKEN }, publish: crm } }") {
            guard let token = token(member, applications) else { continue }
            if let other = tokens.first(where: { $0.secret == token.secret && surroundings.needsSecrets }) {
                member.node.mistake(
                    in: "secret", "the same as that of \(other.name)", "give each its own, so that one can be taken back alone")
            }
            tokens.append(token)
        }
        if table.isMap, tokens.isEmpty, mistakes.isEmpty { table.mistake("no token", "write it as in \(Self.httpExample)") }
        return tokens
    }

    private func token(_ member: ConfigurationNode.Member, _ applications: [ApplicationID]) -> HTTPSettings.Token? {
        let node = member.node
        _ = node.members("\(member.name): { secret: { env: NAME }, publish: crm }")
        node.check(keys: ["secret", "publish", "hook", "ask"])
        guard let secretNode = node["secret"] else {
            node.mistake(in: "secret", "missing", "write secret: { env: NAME } or { file: path }")
            return nil
        }
        guard let secret = secretNode.setting(isSecret: true, surroundings) else { return nil }
        if surroundings.needsSecrets, secret.utf8.count < Self.shortestSecret {
            secretNode.mistake("it has \(secret.utf8.count) bytes", "take \(Self.shortestSecret) random ones or more")
        }
        if secret.utf8.contains(where: { $0 <= 0x20 || $0 >= 0x7F }) {
            secretNode.mistake("it holds characters that cannot stand in a header", "take letters and digits")
        }
        var token = HTTPSettings.Token(name: member.name, secret: secret)
        token.publish = node["publish"].flatMap { application($0, applications) }
        token.hook = node["hook"].flatMap { application($0, applications) }
        for (text, inner) in node["ask"]?.texts("ask: [erp]") ?? [] {
            if text == "all" {
                token.ask.formUnion(applications)
            } else if let one = application(inner, applications) {
                token.ask.insert(one)
            }
        }
        if node["publish"] == nil, node["hook"] == nil, node["ask"] == nil, node.isMap {
            node.mistake("it may do nothing", "add publish: or hook: with an application, or ask: with a list of them")
        }
        return token
    }

    private func application(_ node: ConfigurationNode, _ applications: [ApplicationID]) -> ApplicationID? {
        guard let text = node.text("crm") else { return nil }
        if applications.contains(ApplicationID(text)) { return ApplicationID(text) }
        node.mistake("there is no application \(text)", Suggestion.text(text, applications.map(\.rawValue)))
        return nil
    }
}
