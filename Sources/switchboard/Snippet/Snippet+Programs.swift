import JSON

extension Snippet {
    /// A program with the official Python SDK (2.x) that lists the tools.
    var python: String {
        switch authentication {
        case .none:
            """
            import asyncio

            from mcp import Client

            URL = \(quotedURL)


            async def main():
                async with Client(URL) as client:
                    for tool in (await client.list_tools()).tools:
                        print(tool.name)


            asyncio.run(main())
            """
        case .bearer(let variable):
            """
            import asyncio
            import os

            import httpx2
            from mcp import Client
            from mcp.client.streamable_http import streamable_http_client

            URL = \(quotedURL)
            HEADERS = {"Authorization": "Bearer " + os.environ["\(variable)"]}


            async def main():
                async with httpx2.AsyncClient(headers=HEADERS, timeout=httpx2.Timeout(30, read=300)) as http:
                    async with Client(streamable_http_client(URL, http_client=http)) as client:
                        for tool in (await client.list_tools()).tools:
                            print(tool.name)


            asyncio.run(main())
            """
        }
    }

    /// A program with the official TypeScript SDK (1.x) that lists the tools.
    var typescript: String {
        let options =
            switch authentication {
            case .none: ""
            case .bearer(let variable): ", {\n  requestInit: { headers: { Authorization: `Bearer ${process.env.\(variable)}` } },\n}"
            }
        return """
            import { Client } from "@modelcontextprotocol/sdk/client/index.js";
            import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

            const client = new Client({ name: "my-agent", version: "1.0.0" });
            await client.connect(new StreamableHTTPClientTransport(new URL(\(quotedURL))\(options)));
            for (const tool of (await client.listTools()).tools) console.log(tool.name);
            await client.close();
            """
    }

    /// JSON's strings are those of both languages.
    private var quotedURL: String { JSONValue.string(url).text }
}
