/// The servers that the program can be.
enum Kind: String, CaseIterable {
    case notes, tickets, github, calculator, bench

    var summary: String {
        switch self {
        case .notes: "a notebook: add_note, list_notes, search_notes, delete_note"
        case .tickets: "an issue tracker: list_tickets, get_ticket, create_ticket, close_ticket"
        case .github: "a code forge: list_pull_requests, add_comment, delete_branch"
        case .calculator: "add, multiply, evaluate, and count_slowly with progress"
        case .bench: "echo and large, cheap to answer; --tools COUNT lists more of them"
        }
    }

    func server(_ options: Options) -> SampleServer {
        let (title, instructions, tools) =
            switch self {
            case .notes: ("Notes", "Search before you add a note.", Notes.tools())
            case .tickets: ("Tickets", "Tickets live in projects such as WEB and OPS.", Tickets.tools())
            case .github: ("GitHub", "Look at the pull requests before you comment.", PullRequests.tools())
            case .calculator: ("Calculator", "Use evaluate for more than two numbers.", Calculator.tools())
            case .bench: ("Bench", "For measurements.", BenchTools.tools(count: options.toolCount))
            }
        return SampleServer(
            name: rawValue, title: title, instructions: instructions, tools: tools, eras: options.eras, pageSize: options.pageSize)
    }
}
