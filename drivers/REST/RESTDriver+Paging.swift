import HTTPApplication
package import HubDriver
import HubModel

extension RESTDriver {
    package func page(native: String, company: String?, after text: String?, limit: Int) async throws(DriverError) -> Page {
        let cursor = try text.map { (text) throws(DriverError) in try PageCursor(text) } ?? PageCursor()
        return try await asked(native) { (permit) async throws(CallFailure) in
            let type = try type(native)
            guard let list = type.list else { throw .misconfigured("the recipe says no list of \(native)") }
            let part = try await part(of: list, type, company, from: cursor, limit: limit, permit)
            var documents: [NativeDocument] = []
            for document in part.documents where !document.isDeleted {
                documents.append(try await withToken(type, document, company, permit))
            }
            return Page(documents: documents, next: part.next?.text)
        }
    }

    /// Documents of a list that were not told before, and where it goes on.
    struct ListPart: Sendable {
        var documents: [NativeDocument]
        /// As the application tells them, for what documents do not show.
        var values: [Value]
        /// Nil where nothing follows.
        var next: PageCursor?
    }

    /// Requests for one part of a list: a list that moves back and back is not followed for ever.
    private static let mostRequests = 50

    /// - Parameters:
    ///   - since: changes after this moment only, as the application writes it.
    ///   - place: the member that the list is ordered by, where that is not the key: a document that moved is another one then.
    func part(
        of list: EntityRecipe.Listing, _ type: EntityRecipe, _ company: String?, since: String? = nil, orderedBy place: Place? = nil,
        from cursor: PageCursor, limit: Int, _ permit: Permit
    ) async throws(CallFailure) -> ListPart {
        var walk = PageWalk(list.paging, limit: limit, most: list.most, from: cursor)
        for _ in 0..<Self.mostRequests {
            let (documents, values, next) = try await fetched(list, type, company, since, walk.request, permit)
            let names = zip(documents, values).map { document, value in
                let time = place.flatMap { $0.value(in: value)?.keyText } ?? ""
                return time.isEmpty ? document.key.rawValue : "\(document.key) \(time)"
            }
            switch walk.take(.init(names: names, next: next)) {
            case .tell(let new, let isLast):
                return ListPart(
                    documents: new.map { documents[$0] }, values: new.map { values[$0] }, next: isLast ? nil : walk.cursor)
            case .again: continue
            case .lost: throw .unreachable("\(type.native): the list moved so far that its place is not found again; begin anew")
            }
        }
        throw .unreachable("\(type.native): \(Self.mostRequests) requests brought nothing new of the list")
    }

    private func fetched(
        _ list: EntityRecipe.Listing, _ type: EntityRecipe, _ company: String?, _ since: String?, _ wanted: PageWalk.Request,
        _ permit: Permit
    ) async throws(CallFailure) -> (documents: [NativeDocument], values: [Value], next: String?) {
        var values = wanted.variables
        values["since"] = since
        values["company"] = company
        let own = try client.path(list.path, values)
        let path = try wanted.link.map { (link) throws(CallFailure) in try client.path(ofLink: link, after: own) } ?? own
        let headers = client.headers(list.headers, values)
        let reply = try await client.ask(.init(method: "GET", path: path, headers: headers), permit)
        let answer = try Self.json(reply)
        guard let elements = list.at.map({ $0.value(in: answer) }) ?? answer, let elements = elements.array else {
            throw .misconfigured("\(path.prefix { $0 != "?" }) answers no list at \(list.at?.text ?? "its top")")
        }
        var documents: [NativeDocument] = []
        for element in elements { documents.append(try type.document(element, hidden: recipe.hidden)) }
        let next: String? =
            switch list.paging {
            case .cursor(let place), .link(let place): place.value(in: answer)?.keyText.flatMap { $0.isEmpty ? nil : $0 }
            case .linkHeader: Self.next(reply.headers)
            case .after: documents.last?.key.rawValue
            default: nil
            }
        return (documents, elements, next)
    }

    /// The address with `rel="next"` in the headers `Link`: `<https://…>; rel="next", <…>; rel="last"`.
    static func next(_ headers: [HTTPCall.Header]) -> String? {
        for header in headers where header.isNamed("Link") {
            var rest = header.value[...]
            while let open = rest.firstIndex(of: "<"), let close = rest[open...].firstIndex(of: ">") {
                let address = rest[rest.index(after: open)..<close]
                rest = rest[rest.index(after: close)...]
                let parameters = rest.prefix { $0 != "<" }
                let isNext = parameters.split(whereSeparator: { $0 == ";" || $0 == "," }).contains { parameter in
                    let text = parameter.filter { !$0.isWhitespace && $0 != "\"" }.lowercased()
                    return text == "rel=next"
                }
                if isNext { return String(address) }
            }
        }
        return nil
    }
}
