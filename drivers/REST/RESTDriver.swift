import HTTPApplication
package import HubDriver
package import HubModel

/// The driver of any system with a REST interface: what it says and takes stands in a recipe file.
///
/// What not every recipe allows, to capture and to discover, is a capability of those types only that ``capable`` gives.
package struct RESTDriver: Driver, LookingUp, Reading, Paging, Answering {
    package let manifest: Manifest
    let client: RESTClient
    let pace = Rhythm()
    /// The companies' names in the application, of which per-company types are captured.
    let companies: [String]
    var recipe: Recipe { client.recipe }

    init(client: RESTClient, companies: [String]) {
        self.client = client
        self.companies = companies
        manifest = client.recipe.manifest
    }

    package func probe() async throws(DriverError) -> ApplicationIdentity {
        try await asked(nil) { (permit) async throws(CallFailure) in
            let company = companies.first.map { ["company": $0] } ?? [:]
            let path = try client.path(recipe.identity.path, company)
            let reply = try await client.ask(.init(method: "GET", path: path), permit)
            let value = (try? reply.json()) ?? .null
            let instance = recipe.identity.instance.map { $0.value(in: value)?.keyText } ?? client.http.settings.base
            guard let instance, !instance.isEmpty else {
                throw .misconfigured("\(path) tells no \(recipe.identity.instance?.text ?? "instance"): look at the recipe's identity")
            }
            let version = recipe.identity.version?.value(in: value)?.keyText ?? ""
            var details = ["recipe \(recipe.name)"]
            if recipe.identity.instance == nil {
                details.append("the application tells no identity: a copy behind the same address is not noticed")
            }
            return ApplicationIdentity(instance: instance, version: version, details: details)
        }
    }

    package func close() async { await client.close() }

    /// A question, of which nothing can have had an effect.
    func asked<T: Sendable>(
        _ native: String?, _ requests: Int = 1, _ body: (Permit) async throws(CallFailure) -> T
    ) async throws(DriverError) -> T {
        do throws(CallFailure) {
            return try await client.work(requests, matters: client.matters(nil, native), body)
        } catch {
            throw error.ofQuestion.driverError
        }
    }

    func type(_ native: String) throws(CallFailure) -> EntityRecipe {
        guard let type = recipe.entity(native) else { throw .misconfigured("the recipe has no type \(native)") }
        return type
    }

    // MARK: Documents

    /// A document's present state; nil where it is gone.
    func document(_ type: EntityRecipe, _ key: NativeKey, _ company: String?, _ permit: Permit) async throws(CallFailure) -> NativeDocument?
    {
        try await rawDocument(type, key, company, permit)?.document
    }

    /// The same, with the answer's own form.
    func rawDocument(
        _ type: EntityRecipe, _ key: NativeKey, _ company: String?, _ permit: Permit
    ) async throws(CallFailure) -> (document: NativeDocument, value: Value)? {
        guard let read = type.read else { throw .misconfigured("the recipe says no read of \(type.native)") }
        let reply: HTTPReply
        do throws(CallFailure) {
            let values = Self.values(company: company, key: key)
            let headers = client.headers(read.headers, values)
            reply = try await client.ask(.init(method: read.method, path: try client.path(read.path, values), headers: headers), permit)
        } catch .gone {
            return nil
        }
        guard let value = read.told(try Self.json(reply)) else { return nil }
        // Systems that search by key answer a list.
        if let list = value.array {
            guard let first = list.first else { return nil }
            return (try type.document(first, headers: reply.headers, hidden: recipe.hidden), first)
        }
        return (try type.document(value, headers: reply.headers, hidden: recipe.hidden), value)
    }

    /// Documents that carry a reference.
    func documents(
        _ type: EntityRecipe, referenced reference: CanonicalID, _ company: String?, _ permit: Permit
    ) async throws(CallFailure) -> [NativeDocument] {
        guard let lookUp = type.lookUp else { throw .misconfigured("the recipe says no lookUp of \(type.native)") }
        let reply: HTTPReply
        do throws(CallFailure) {
            let values = Self.values(company: company, reference: reference)
            let headers = client.headers(lookUp.headers, values)
            reply = try await client.ask(.init(method: lookUp.method, path: try client.path(lookUp.path, values), headers: headers), permit)
        } catch .gone {
            return []
        }
        guard let value = lookUp.told(try Self.json(reply)), !value.isNull else { return [] }
        var documents: [NativeDocument] = []
        for element in value.array ?? [value] {
            let document = try type.document(element, headers: value.array == nil ? reply.headers : [], hidden: recipe.hidden)
            // A search that finds more than was asked must not link documents wrongly.
            if type.reference != nil, document.reference != reference { continue }
            documents.append(try await withToken(type, document, company, permit))
        }
        return documents
    }

    /// A document of a list, read again where only that tells its token.
    func withToken(
        _ type: EntityRecipe, _ document: NativeDocument, _ company: String?, _ permit: Permit
    ) async throws(CallFailure) -> NativeDocument {
        guard type.isTokenInHeader, document.token == nil else { return document }
        return try await self.document(type, document.key, company, permit) ?? document
    }

    static func values(company: String?, key: NativeKey? = nil, reference: CanonicalID? = nil) -> [String: String] {
        var values: [String: String] = [:]
        if let company { values["company"] = company }
        if let key { values["key"] = key.rawValue }
        if let reference { values["reference"] = reference.rawValue }
        return values
    }

    /// An answer's body, of a question.
    static func json(_ reply: HTTPReply) throws(CallFailure) -> Value {
        do throws(DriverError) { return try reply.json() } catch { throw .unreachable(error.message) }
    }
}

extension RESTDriver {
    package func lookUp(_ references: [LookUp]) async throws(DriverError) -> [[NativeDocument]] {
        var found: [[NativeDocument]] = []
        for one in references {
            found.append(
                try await asked(one.native) { (permit) async throws(CallFailure) in
                    try await documents(try type(one.native), referenced: one.reference, one.company, permit)
                })
        }
        return found
    }

    package func read(_ references: [ReadRequest]) async throws(DriverError) -> [NativeDocument?] {
        var found: [NativeDocument?] = []
        for one in references {
            found.append(
                try await asked(one.native) { (permit) async throws(CallFailure) in
                    try await document(try type(one.native), one.key, one.company, permit)
                })
        }
        return found
    }
}
