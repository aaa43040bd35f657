"""Renders conversations with transformers and writes what comes out; see README.md.

    DISTILL_FIXTURES=... python conversations.py
"""
import copy, json, os
import datetime as dt
import transformers.utils.chat_template_utils as m
from jinja2.exceptions import TemplateError
class Fixed(dt.datetime):
    @classmethod
    def now(cls, tz=None): return cls(2024,7,6,15,4,9)
m.datetime = Fixed
F=os.environ['DISTILL_FIXTURES']+'/'
FILES={n:'tokenizers/'+p for n,p in {"qwen":"qwen2.5/chat_template.jinja","r1":"deepseek-r1-distill-qwen/chat_template.jinja","l31":"llama3/chat_template.Llama-3.1-8B-Instruct.jinja"}.items()}
INLINE={
"alternation": """{%- if messages[0]["role"] == "system" %}
    {%- set system_message = messages[0]["content"] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set loop_messages = messages %}
{%- endif %}
{%- if not tools is defined %}
    {%- set tools = none %}
{%- endif %}
{%- set user_messages = loop_messages | selectattr("role", "equalto", "user") | list %}
{#- Checks the turns. #}
{%- set ns = namespace() %}
{%- set ns.index = 0 %}
{%- for message in loop_messages %}
    {%- if not (message.role == "tool" or (message.tool_calls is defined and message.tool_calls is not none)) %}
        {%- if (message["role"] == "user") != (ns.index % 2 == 0) %}
            {{- raise_exception("Roles must alternate user/assistant/user/assistant/...") }}
        {%- endif %}
        {%- set ns.index = ns.index + 1 %}
    {%- endif %}
{%- endfor %}
{{- bos_token }}
{%- for message in loop_messages %}
    {%- if message["role"] == "user" %}
        {%- if tools is not none and (message == user_messages[-1]) %}
            {{- "[TOOLS][" }}
            {%- for tool in tools %}
                {%- set tool = tool.function %}
                {{- '{"type": "function", "function": {' }}
                {%- for key, val in tool.items() if key != "return" %}
                    {%- if val is string %}
                        {{- '"' + key + '": "' + val + '"' }}
                    {%- else %}
                        {{- '"' + key + '": ' + val|tojson }}
                    {%- endif %}
                    {%- if not loop.last %}
                        {{- ", " }}
                    {%- endif %}
                {%- endfor %}
                {{- "}}" }}
                {%- if not loop.last %}{{- ", " }}{% else %}{{- "]" }}{% endif %}
            {%- endfor %}
            {{- "[/TOOLS]" }}
        {%- endif %}
        {%- if loop.last and system_message is defined %}
            {{- "[INST]" + system_message + "\\n\\n" + message["content"] + "[/INST]" }}
        {%- else %}
            {{- "[INST]" + message["content"] + "[/INST]" }}
        {%- endif %}
    {%- elif message.tool_calls is defined and message.tool_calls is not none %}
        {{- "[TOOL_CALLS][" }}
        {%- for tool_call in message.tool_calls %}
            {%- set out = tool_call.function|tojson %}
            {{- out[:-1] }}
            {%- if not tool_call.id is defined or tool_call.id|length != 9 %}
                {{- raise_exception("Tool call IDs should be alphanumeric strings with length 9!") }}
            {%- endif %}
            {{- ', "id": "' + tool_call.id + '"}' }}
            {%- if not loop.last %}{{- ", " }}{% else %}{{- "]" + eos_token }}{% endif %}
        {%- endfor %}
    {%- elif message["role"] == "assistant" %}
        {{- message["content"]|trim + eos_token }}
    {%- elif message["role"] == "tool" %}
        {%- if message.content is defined and message.content.content is defined %}
            {%- set content = message.content.content %}
        {%- else %}
            {%- set content = message.content %}
        {%- endif %}
        {{- '[TOOL_RESULTS]{"content": ' + content|string + "}[/TOOL_RESULTS]" }}
    {%- else %}
        {{- raise_exception("Unknown role " + message.role) }}
    {%- endif %}
{%- endfor %}
""",
"schema": """{%- macro type_of(spec, required, level=0) -%}
  {%- if spec.type == "array" -%}
    {%- if spec['items'] -%}{{ type_of(spec['items'], [], level + 1) }}[]{%- else -%}any[]{%- endif -%}
  {%- elif spec.type is defined and spec.type is iterable and spec.type is not string and spec.type is not mapping -%}
    {{ spec.type|join(" | ") }}
  {%- elif spec.enum -%}
    {{ spec.enum|map('tojson')|join(' | ') }}
  {%- elif spec.type == "object" and spec.properties -%}
    {{ "{" }}
{% for name, inner in spec.properties.items() -%}
{%- if inner.description %}{{ "  " * (level + 1) }}// {{ inner.description|replace("\\n", " ") }}
{% endif %}{{ "  " * (level + 1) }}{{ name }}{{ "?" if name not in (spec.required or []) }}: {{ type_of(inner, spec.required or [], level + 1) }}{{ "," if not loop.last }}{% if inner.default is defined %} // default: {{ inner.default if inner.default is string else inner.default|tojson }}{% endif %}

{% endfor -%}
{{ "  " * level }}{{ "}" }}
  {%- else -%}{{ {"integer": "number", "number": "number", "boolean": "boolean", "string": "string"}.get(spec.type, "any") }}{%- endif -%}
{%- endmacro -%}
{% for tool in tools or [] %}
namespace functions.{{ loop.index }} {
type {{ tool.function.name }} = (_: {{ type_of(tool.function.parameters, tool.function.parameters.required) }}) => any;
}
{% else %}
No tools.
{% endfor %}
{%- for m in messages %}
  {%- if m.content is string %}{% set text = m.content %}{% elif m.content is none or m.content is undefined %}{% set text = "" %}
  {%- else %}{% set text %}{% for part in m.content %}{% if part.type == "text" %}{{ part.text }}{% elif part.type in ["image", "image_url"] %}<image>{% endif %}{% endfor %}{% endset %}
  {%- endif %}
<{{ m.role|upper }} {{ loop.index }}/{{ loop.length }}{{ " last" if loop.last }}>{{ text|trim }}
  {%- if m.reasoning_content %}<think>{{ m.reasoning_content|trim }}</think>{% endif %}
  {%- for c in m.tool_calls or [] %}
{{ c.function.name }}({% for k, v in (c.function.arguments|items if c.function.arguments is mapping else []) %}{{ k }}={{ v|tojson if v is not string else "'" ~ v ~ "'" }}{{ ", " if not loop.last }}{% endfor %})
  {%- endfor %}
</{{ m.role }}>
{%- endfor %}
{% if add_generation_prompt %}<ASSISTANT>{% generation %}{% endgeneration %}{% endif %}
""",
"mask": """{% for m in messages %}{% if m.role == 'assistant' %}<a>{% generation %}{{ m.content }}{{ eos_token }}{% endgeneration %}</a>
{% else %}<{{ m.role }}>{{ m.content }}</{{ m.role }}>
{% endif %}{% endfor %}{{ strftime_now('%d %B %Y') }}{% if add_generation_prompt %}<a>{% endif %}""",
}
tool=[{"type":"function","function":{"name":"get_weather","description":"Weather\nof a \"place\" <now> & später.","parameters":{"type":"object","properties":{"city":{"type":"string","description":"The\ncity"},"days":{"type":"integer","default":3},"unit":{"type":"string","enum":["C","F"]},"at":{"type":["string","null"]},"opts":{"type":"object","properties":{"deep":{"type":"array","items":{"type":"object","properties":{"x":{"type":"number"}}}},"flag":{"type":"boolean","default":False}},"required":["flag"]},"tags":{"type":"array"}},"required":["city"]},"return":{"type":"string"}}},{"type":"function","function":{"name":"noop","description":"é","parameters":{"type":"object","properties":{}}}}]
U=lambda c:{"role":"user","content":c}
A=lambda c,**k:{"role":"assistant","content":c,**k}
Sy=lambda c:{"role":"system","content":c}
call=lambda a,i="abcdefghi":{"id":i,"type":"function","function":{"name":"get_weather","arguments":a}}
C=[[U("Hi")],[Sy("  Be brief.\n"),U("Hi\r\nthere"),A("  Yo  "),U("{{ x }} <|im_end|> 🙂")],
 [U("w?"),A(None,tool_calls=[call({"city":"Zürich","n":1.0,"b":True,"z":None,"l":[1,"a"]})]),{"role":"tool","content":"{\"t\": 3}","tool_call_id":"abcdefghi"},A("3°"),U("ok")],
 [U("w?"),A("",tool_calls=[call({"city":"A"}),call("{\"city\": \"B\"}","123456789")]),{"role":"tool","content":{"content":42}},{"role":"tool","content":["x",1.5]}],
 [U("q"),A("<think>\nlong\n</think>\n\nanswer"),U("r"),A("<think>a</think>b</think>c")],
 [U("q"),A("x",reasoning="because")],[A("first")],[U("a"),U("b")],[],[Sy("only")],[{"role":"user"}],[{"role":"critic","content":"c"}],
 [U([{"type":"text","text":"look "},{"type":"image"},{"type":"text","text":"!"}])],[Sy(""),U(""),A("")],
 [U("w"),A(None,tool_calls=[call({"city":"A"},"short")])],[U("\u2028\u00a0 x \u0085"),A("\tä\u0301\n")],[{"role":"user","content":"x","extra":12345678901234567890123}, A("y",prefix=True)]]
out=[]
for name in list(FILES)+list(INLINE):
    src=open(F+FILES[name]).read() if name in FILES else INLINE[name]
    t=m._compile_jinja_template(src)
    for conv in C:
        for tools in (None,tool):
            for agp in ((False,True) if tools is None else (True,)):
                row=dict(template=FILES.get(name,name),messages=conv,tools=tools,add_generation_prompt=agp)
                try:
                    r,g=m.render_jinja_template([copy.deepcopy(conv)],copy.deepcopy(tools),chat_template=src,add_generation_prompt=agp,return_assistant_tokens_mask=name in("mask",),bos_token="<s>",eos_token="</s>",date_string="1 Jan 2025")
                    row["rendered"]=r[0]
                    if name=="mask":
                        row["generation"]=[[len(r[0][:a].encode()),len(r[0][:b].encode())] for a,b in g[0]]
                except Exception as e:
                    row["error"]=type(e).__name__
                    if type(e) is TemplateError: row["raised"]=str(e)
                out.append(row)
p=os.path.dirname(os.path.abspath(__file__))+'/'
with open(p+'conversations.jsonl','w') as fh:
    for n,s in INLINE.items(): fh.write(json.dumps(dict(name=n,source=s),ensure_ascii=False)+"\n")
    for r in out: fh.write(json.dumps(r,ensure_ascii=False)+"\n")
print(len(out),sum('error' in r for r in out), sum('raised' in r for r in out))
